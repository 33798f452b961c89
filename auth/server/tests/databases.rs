//! What depends on the database, run on each of them: many at once, one winner.

use std::collections::BTreeSet;
use std::sync::Arc;

use baedal_auth::{start_at, system_clock};
use reqwest::StatusCode;

use crate::world::{Answer, World, config, file, folder};

/// Everything below, on one empty database.
async fn suite(database_url: &str) {
    replicas_starting_together_agree_on_one_key(database_url).await;
    let world = Arc::new(World::on(database_url).await);
    let replica = Arc::new(world.replica().await);
    one_code_used_by_many_gives_tokens_once(&world, &replica).await;
    one_refresh_token_used_by_a_hundred_gives_one_pair(&world, &replica).await;
    tokens_refresh_and_revoke(&world).await;
    guesses_are_counted_across_replicas(&world, &replica).await;
    nothing_secret_is_stored_in_clear(&world, database_url).await;
    Arc::into_inner(replica).unwrap().stop().await;
    Arc::into_inner(world).unwrap().stop().await;
}

async fn replicas_starting_together_agree_on_one_key(database_url: &str) {
    let starts: Vec<_> = (0..4)
        .map(|_| tokio::spawn(start_at(config(database_url.to_owned()), system_clock())))
        .collect();
    let mut sets = BTreeSet::new();
    for start in starts {
        let running = start.await.unwrap().unwrap();
        let keys = reqwest::get(format!("http://{}/jwks.json", running.addr()))
            .await
            .unwrap();
        sets.insert(keys.text().await.unwrap());
        running.shutdown().await;
    }
    assert_eq!(sets.len(), 1, "{sets:?}");
}

/// C21, with the uses at the same moment, on two servers.
async fn one_code_used_by_many_gives_tokens_once(world: &Arc<World>, replica: &Arc<World>) {
    let code = world.code(&[]).await;
    let answers = together(20, world, replica, move |world| {
        let code = code.clone();
        async move { world.redeem(&code, &[]).await }
    })
    .await;
    let winners = check_one_winner(&answers);
    for winner in winners {
        assert_eq!(
            world.introspect(&winner.text("access_token")).await["active"],
            false,
            "reuse revokes"
        );
        world
            .refresh(&winner.text("refresh_token"), &[])
            .await
            .refused(400, "invalid_grant");
    }
}

/// C27.
async fn one_refresh_token_used_by_a_hundred_gives_one_pair(world: &Arc<World>, replica: &Arc<World>) {
    let token = world.tokens().await.text("refresh_token");
    let answers = together(100, world, replica, move |world| {
        let token = token.clone();
        async move { world.refresh(&token, &[]).await }
    })
    .await;
    for winner in check_one_winner(&answers) {
        world
            .refresh(&winner.text("refresh_token"), &[])
            .await
            .refused(400, "invalid_grant");
    }
}

async fn together<F, Fut>(times: usize, world: &Arc<World>, replica: &Arc<World>, act: F) -> Vec<Answer>
where
    F: Fn(Arc<World>) -> Fut,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let tasks: Vec<_> = (0..times)
        .map(|n| tokio::spawn(act(Arc::clone(if n % 2 == 0 { world } else { replica }))))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn check_one_winner(answers: &[Answer]) -> Vec<&Answer> {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert!(won.len() <= 1, "{} got tokens", won.len());
    for answer in lost {
        answer.refused(400, "invalid_grant");
    }
    won
}

async fn tokens_refresh_and_revoke(world: &World) {
    let tokens = world.tokens().await;
    let next = world.refresh(&tokens.text("refresh_token"), &[]).await;
    let (access, refresh) = (next.text("access_token"), next.text("refresh_token"));
    assert_eq!(world.userinfo(&access).await.status, 200);
    assert_eq!(world.introspect(&refresh).await["active"], true);
    let revoked = world
        .post("/revoke", &[("token", &refresh), ("client_id", "cli")], None)
        .await;
    assert_eq!(revoked.status, 200);
    assert_eq!(world.introspect(&access).await["active"], false);
    let single = world.tokens().await.text("access_token");
    world
        .post("/revoke", &[("token", &single), ("client_id", "cli")], None)
        .await;
    assert_eq!(world.introspect(&single).await["active"], false);
}

async fn guesses_are_counted_across_replicas(world: &World, replica: &World) {
    for n in 0..10 {
        let at = if n % 2 == 0 { world } else { replica };
        let page = at
            .browser()
            .try_login(&at.authorize(&[]), "customer", "wrong-password")
            .await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    let page = replica
        .browser()
        .try_login(&replica.authorize(&[]), "customer", "baedal-customer")
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    world.advance(901);
    let page = replica
        .browser()
        .try_login(&replica.authorize(&[]), "customer", "baedal-customer")
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

async fn nothing_secret_is_stored_in_clear(world: &World, database_url: &str) {
    let code = world.code(&[]).await;
    let refresh = world.tokens().await.text("refresh_token");
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(database_url).await.unwrap();
    let tables = [
        "SELECT hash || grant_id || redirect_uri || challenge FROM codes",
        "SELECT hash || grant_id FROM refresh_tokens",
        "SELECT hash || sub FROM sessions",
        "SELECT id || COALESCE(secret_hash, '') FROM clients",
        "SELECT login || password FROM users",
    ];
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(table).fetch_all(&pool).await.unwrap();
        assert!(!rows.is_empty(), "{table}");
        for secret in [
            &code,
            &refresh,
            &world.web,
            &world.machine,
            &"baedal-customer".to_owned(),
        ] {
            assert!(rows.iter().all(|row| !row.contains(secret.as_str())), "{table}");
        }
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_holds_on_sqlite() {
    let folder = folder();
    suite(&file(&folder)).await;
}

/// POSTGRES_URL names a server and a database from which the test may create its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_holds_on_postgres() {
    let Ok(url) = std::env::var("POSTGRES_URL") else {
        eprintln!("POSTGRES_URL is not set: the suite ran on SQLite only");
        return;
    };
    let database = OwnDatabase::create(&url).await;
    suite(&database.url).await;
    demo_rows_on_postgres_are_refused(&database.url).await;
    database.remove().await;
}

async fn demo_rows_on_postgres_are_refused(url: &str) {
    let pool = sqlx::AnyPool::connect(url).await.unwrap();
    sqlx::query("UPDATE users SET demo = 1")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let refused = start_at(config(url.to_owned()), system_clock()).await;
    assert!(matches!(refused, Err(baedal_auth::StartError::DemoRows)));
}

struct OwnDatabase {
    server: sqlx::AnyPool,
    name: String,
    url: String,
}

impl OwnDatabase {
    async fn create(server_url: &str) -> OwnDatabase {
        sqlx::any::install_default_drivers();
        let server = sqlx::AnyPool::connect(server_url).await.unwrap();
        let name = format!("auth_{}", uuid::Uuid::new_v4().simple());
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&server)
            .await
            .unwrap();
        let mut url = url::Url::parse(server_url).unwrap();
        url.set_path(&name);
        OwnDatabase {
            server,
            name,
            url: url.into(),
        }
    }

    async fn remove(self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&self.server)
            .await
            .unwrap();
        self.server.close().await;
    }
}
