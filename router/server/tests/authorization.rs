//! @authenticated, @requiresScopes and @policy, field by field (C19).

use baedal_router::config::{AuthConfig, PolicyRule};
use serde_json::json;

use crate::support::socket::Socket;
use crate::support::{Issuer, World, auth_of, config_of, eventually, graphs};

/// Where the directive that starts at `start` ends.
fn link_end(sdl: &str, start: usize) -> usize {
    let list = start + sdl[start..].find(']').expect("its imports");
    list + sdl[list..].find(')').expect("its end") + 1
}

/// A world in which e-mail needs a login, prices the scope `store`, and `sold` the scope `store` or `operator`.
pub async fn protected(issuer: Option<&Issuer>) -> World {
    let journal = graphs::Journal::default();
    let accounts = graphs::accounts(&journal).await;
    let products = graphs::products(&journal).await;
    let reviews = graphs::reviews(&journal).await;
    let import = "@link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@shareable\", \"@authenticated\", \"@requiresScopes\"";
    let with_import = |sdl: String| {
        let start = sdl.find("@link(").expect("a link");
        let end = link_end(&sdl, start);
        format!("{}{import}]){}", &sdl[..start], &sdl[end..])
    };
    accounts.set_sdl(with_import(accounts.sdl()).replace("email: String", "email: String @authenticated"));
    let priced = with_import(products.sdl()).replace(
        "price: Int!",
        "price: Int! @requiresScopes(scopes: [[\"store\"]])",
    );
    let sold = priced.find("\tsold(").expect("the field");
    let line_end = sold + priced[sold..].find('\n').expect("a line");
    products.set_sdl(format!(
        "{} @requiresScopes(scopes: [[\"store\"], [\"operator\"]]){}",
        &priced[..line_end],
        &priced[line_end..]
    ));
    let mut config = config_of(&[&accounts, &products, &reviews]);
    config.auth = issuer.map(|issuer| auth_of(&[issuer]));
    let gateway = baedal_router::start(config).await.expect("the gateway starts");
    assert!(gateway.is_ready(), "{:?}", gateway.concerns());
    World {
        accounts,
        products,
        reviews,
        journal,
        gateway,
    }
}

#[tokio::test]
async fn a_field_that_needs_a_login_is_null_for_nobody() {
    let issuer = Issuer::start().await;
    let world = protected(Some(&issuer)).await;
    let anonymous = world.query("{ me { name email } }").await;
    assert_eq!(anonymous.status, 200);
    assert_eq!(
        anonymous.body["data"],
        json!({"me": {"name": "Ada", "email": null}}),
        "{anonymous:?}"
    );
    assert_eq!(anonymous.code(), "UNAUTHORIZED_FIELD_OR_TYPE");
    assert_eq!(anonymous.errors()[0]["path"], json!(["me", "email"]));
    let (_, sent) = world.accounts.requests().pop().expect("a call");
    assert!(
        !sent["query"].as_str().expect("text").contains("email"),
        "what is withheld is not fetched: {sent}"
    );
    let known = world
        .client()
        .bearer(&issuer.token(""))
        .query("{ me { name email } }")
        .await;
    assert_eq!(
        *known.data(),
        json!({"me": {"name": "Ada", "email": "ada@example.com"}})
    );
    let again = world.query("{ me { name email } }").await;
    assert_eq!(
        again.body["data"]["me"]["email"],
        json!(null),
        "the plan of one caller is not another's"
    );
}

#[tokio::test]
async fn a_scope_is_needed_and_null_rules_hold() {
    let issuer = Issuer::start().await;
    let world = protected(Some(&issuer)).await;
    let query = "{ product(upc: \"top-1\") { name price } me { name } }";
    for token in [
        None,
        Some(issuer.token("order")),
        Some(issuer.token("stores store2 Store")),
    ] {
        let client = match &token {
            Some(token) => world.client().bearer(token),
            None => world.client(),
        };
        let answer = client.query(query).await;
        assert_eq!(
            answer.body["data"],
            json!({"product": null, "me": {"name": "Ada"}}),
            "{answer:?}"
        );
        assert_eq!(answer.code(), "UNAUTHORIZED_FIELD_OR_TYPE");
        assert!(!answer.body.to_string().contains("899"));
    }
    let owner = world
        .client()
        .bearer(&issuer.token("order store"))
        .query(query)
        .await;
    assert_eq!(
        *owner.data(),
        json!({"product": {"name": "Table", "price": 899}, "me": {"name": "Ada"}})
    );
}

#[tokio::test]
async fn a_subscription_is_withheld_without_its_scope() {
    let issuer = Issuer::start().await;
    let world = protected(Some(&issuer)).await;
    let mut socket = Socket::ready(&world.gateway, Some(&issuer.token("order"))).await;
    socket.subscribe("s", "subscription { sold { upc } }").await;
    let message = socket.message().await;
    assert_eq!(
        message["payload"]["errors"][0]["extensions"]["code"], "UNAUTHORIZED_FIELD_OR_TYPE",
        "{message}"
    );
    assert_eq!(message["payload"]["data"], json!(null));
    assert_eq!(socket.message().await["type"], "complete");
    assert!(
        world.products.inits().is_empty(),
        "the subgraph is not even asked"
    );
    let mut operator = Socket::ready(&world.gateway, Some(&issuer.token("operator"))).await;
    operator.subscribe("s", "subscription { sold { upc } }").await;
    assert_eq!(
        operator.message().await["payload"]["data"],
        json!({"sold": {"upc": "top-1"}})
    );
}

#[tokio::test]
async fn introspection_shows_protected_fields_but_not_the_directives() {
    let issuer = Issuer::start().await;
    let world = protected(Some(&issuer)).await;
    let answer = world
        .query("{ __type(name: \"User\") { fields { name } } __schema { directives { name } } }")
        .await;
    let text = answer.data().to_string();
    assert!(
        text.contains("email") && !text.contains("requiresScopes"),
        "{text}"
    );
}

#[tokio::test]
async fn without_auth_configuration_everything_is_open() {
    let world = protected(None).await;
    world
        .query("{ me { email } product(upc: \"top-1\") { price } }")
        .await
        .data();
}

#[tokio::test]
async fn protection_that_comes_with_a_new_schema_holds_at_once() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    world.query("{ me { email } }").await.data();
    let sdl = world.accounts.sdl();
    let start = sdl.find("@link(").expect("a link");
    let end = link_end(&sdl, start);
    let link = "@link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@shareable\", \"@authenticated\"])";
    let changed = format!("{}{link}{}", &sdl[..start], &sdl[end..])
        .replace("email: String", "email: String @authenticated");
    world.accounts.set_sdl(changed);
    eventually("the field is withheld", || async {
        world.query("{ me { email } }").await.code() == "UNAUTHORIZED_FIELD_OR_TYPE"
    })
    .await;
}

/// A world in which e-mail needs the policy `read_mail`, and names `clerk` and `mail` together, or `chief`.
async fn with_policies(auth: AuthConfig) -> World {
    let journal = graphs::Journal::default();
    let accounts = graphs::accounts(&journal).await;
    let products = graphs::products(&journal).await;
    let reviews = graphs::reviews(&journal).await;
    let sdl = accounts.sdl();
    let start = sdl.find("@link(").expect("a link");
    let link = "@link(url: \"https://specs.apollo.dev/federation/v2.6\", import: [\"@key\", \"@shareable\", \"@policy\"])";
    let changed = format!("{}{link}{}", &sdl[..start], &sdl[link_end(&sdl, start)..]);
    accounts.set_sdl(
        changed
            .replace(
                "email: String",
                "email: String @policy(policies: [[\"read_mail\"]])",
            )
            .replace(
                "name: String!",
                "name: String @policy(policies: [[\"clerk\", \"mail\"], [\"chief\"]])",
            ),
    );
    let mut config = config_of(&[&accounts, &products, &reviews]);
    config.auth = Some(auth);
    let gateway = baedal_router::start(config).await.expect("the gateway starts");
    assert!(gateway.is_ready(), "{:?}", gateway.concerns());
    World {
        accounts,
        products,
        reviews,
        journal,
        gateway,
    }
}

#[tokio::test]
async fn a_policy_is_granted_by_a_claim_of_the_token_and_by_nothing_else() {
    let issuer = Issuer::start().await;
    let world = with_policies(AuthConfig {
        policies_claim: Some("permissions".to_owned()),
        ..auth_of(&[&issuer])
    })
    .await;
    for (permissions, name, email) in [
        (json!("absent"), false, false),
        (json!(["read_mail"]), false, true),
        (json!("clerk mail"), true, false),
        (json!(["chief", "read_mail"]), true, true),
        (json!(["clerk"]), false, false),
        (json!({"read_mail": true}), false, false),
    ] {
        let token = issuer.token_with(json!({"permissions": permissions}));
        let answer = world.client().bearer(&token).query("{ me { name email } }").await;
        let me = &answer.body["data"]["me"];
        assert_eq!(
            (me["name"].is_string(), me["email"].is_string()),
            (name, email),
            "{permissions}: {answer:?}"
        );
    }
    let forged = world.query("{ me { name email } }").await;
    assert_eq!(
        forged.body["data"],
        json!({"me": {"name": null, "email": null}}),
        "nobody has no policy"
    );
    assert_eq!(forged.code(), "UNAUTHORIZED_FIELD_OR_TYPE");
}

#[tokio::test]
async fn a_policy_is_granted_by_a_rule_of_the_configuration() {
    let issuer = Issuer::start().await;
    let rule = PolicyRule {
        scopes: vec!["order".to_owned()],
        claims: [("role".to_owned(), vec!["support".to_owned()])].into(),
    };
    let world = with_policies(AuthConfig {
        policies: [("read_mail".to_owned(), rule)].into(),
        ..auth_of(&[&issuer])
    })
    .await;
    for (claims, granted) in [
        (json!({"role": "support"}), true),
        (json!({"role": ["guest", "support"]}), true),
        (json!({"role": "guest"}), false),
        (json!({"role": "support", "scope": "store"}), false),
        (json!({"policies": ["read_mail"]}), false),
    ] {
        let token = issuer.token_with(claims.clone());
        let answer = world.client().bearer(&token).query("{ me { email } }").await;
        let email = &answer.body["data"]["me"]["email"];
        assert_eq!(email.is_string(), granted, "{claims}: {answer:?}");
    }
}
