//! Groups: who their members are, who reads which partition, and how far the group is.

use super::{
    LogError, SESSION,
    file::{File, unavailable},
};
use crate::{
    log::PARTITIONS,
    sql::{SqlError, Tx, rows_of_params},
};
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

/// A partition of a topic.
pub(super) type Slot = (String, i64);

/// What one member reads in one generation of its group.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub generation: i64,
    /// The group's position in each partition of the share: rows up to it are done.
    pub positions: BTreeMap<Slot, i64>,
}

fn session_ms() -> i64 {
    i64::try_from(SESSION.as_millis()).expect("a few seconds")
}

/// Enters the group; the generation grows.
pub(super) async fn enter(file: &File, group: &str, member: &str, topics: &[String]) -> Result<(), LogError> {
    let (now, topics) = (file.now_ms(), &topics.join(","));
    let work = |mut tx: Tx| async move {
        bury(&mut tx, group, now).await?;
        sqlx::query("INSERT INTO members (grp, member, topics, seen_at) VALUES ($1, $2, $3, $4)")
            .bind(group.to_owned())
            .bind(member.to_owned())
            .bind(topics.clone())
            .bind(now)
            .execute(tx.conn())
            .await?;
        next_generation(&mut tx, group).await?;
        tx.commit_with(()).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

/// Leaves the group; the generation grows.
pub(super) async fn leave(file: &File, group: &str, member: &str) -> Result<(), LogError> {
    let work = |mut tx: Tx| async move {
        let left = sqlx::query("DELETE FROM members WHERE grp = $1 AND member = $2")
            .bind(group.to_owned())
            .bind(member.to_owned())
            .execute(tx.conn())
            .await?
            .rows_affected();
        if left > 0 {
            next_generation(&mut tx, group).await?;
        }
        tx.commit_with(()).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

/// Renews the members' heartbeats, and removes members of their groups that have been silent for too long.
pub(super) async fn heartbeat(file: &File, members: &[(String, String)]) -> Result<(), LogError> {
    let now = file.now_ms();
    let work = |mut tx: Tx| async move {
        for (group, member) in members {
            sqlx::query("UPDATE members SET seen_at = $1 WHERE grp = $2 AND member = $3")
                .bind(now)
                .bind(group.clone())
                .bind(member.clone())
                .execute(tx.conn())
                .await?;
        }
        let groups: BTreeSet<&String> = members.iter().map(|(group, _)| group).collect();
        for group in groups {
            if bury(&mut tx, group, now).await? > 0 {
                next_generation(&mut tx, group).await?;
            }
        }
        tx.commit_with(()).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

async fn bury(tx: &mut Tx, group: &str, now: i64) -> Result<u64, SqlError> {
    let dead = sqlx::query("DELETE FROM members WHERE grp = $1 AND seen_at < $2")
        .bind(group.to_owned())
        .bind(now - session_ms())
        .execute(tx.conn())
        .await?;
    Ok(dead.rows_affected())
}

async fn next_generation(tx: &mut Tx, group: &str) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO reader_groups (grp, generation) VALUES ($1, 1) \
         ON CONFLICT (grp) DO UPDATE SET generation = reader_groups.generation + 1",
    )
    .bind(group.to_owned())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The member's share in the group's current generation; none if the group has buried it.
pub(super) async fn share(file: &File, group: &str, member: &str) -> Result<Option<Share>, LogError> {
    let work = |mut tx: Tx| async move {
        let generation = generation(&mut tx, group).await?;
        let rows = sqlx::query("SELECT member, topics FROM members WHERE grp = $1 ORDER BY member")
            .bind(group.to_owned())
            .fetch_all(tx.conn())
            .await?;
        let mut members = Vec::with_capacity(rows.len());
        for row in &rows {
            members.push((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?));
        }
        let Some(slots) = deal(&members, member) else {
            return tx.commit_with(None).await;
        };
        let share = Share {
            generation,
            positions: positions(&mut tx, group, slots).await?,
        };
        tx.commit_with(Some(share)).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

/// The slots of `member`: of each of its topics, every n-th partition among the members that read the topic.
fn deal(members: &[(String, String)], member: &str) -> Option<Vec<Slot>> {
    let (_, topics) = members.iter().find(|(name, _)| name == member)?;
    let mut slots = Vec::new();
    for topic in topics.split(',') {
        let readers: Vec<&String> = members
            .iter()
            .filter(|(_, topics)| topics.split(',').any(|t| t == topic))
            .map(|(name, _)| name)
            .collect();
        let mine = readers
            .iter()
            .position(|name| *name == member)
            .expect("the member reads its own topics");
        slots.extend(
            (0..PARTITIONS.unsigned_abs() as usize)
                .filter(|part| part % readers.len() == mine)
                .map(|part| (topic.to_owned(), part as i64)),
        );
    }
    Some(slots)
}

/// The group's positions in these slots; a slot it never read begins at 0.
async fn positions(tx: &mut Tx, group: &str, slots: Vec<Slot>) -> Result<BTreeMap<Slot, i64>, SqlError> {
    let mut positions: BTreeMap<Slot, i64> = slots.into_iter().map(|slot| (slot, 0)).collect();
    let rows = sqlx::query("SELECT topic, part, position FROM positions WHERE grp = $1")
        .bind(group.to_owned())
        .fetch_all(tx.conn())
        .await?;
    for row in &rows {
        if let Some(position) = positions.get_mut(&(row.try_get(0)?, row.try_get(1)?)) {
            *position = row.try_get(2)?;
        }
    }
    Ok(positions)
}

async fn generation(tx: &mut Tx, group: &str) -> Result<i64, SqlError> {
    let row = sqlx::query("SELECT generation FROM reader_groups WHERE grp = $1")
        .bind(group.to_owned())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// Moves the group's position in these slots up to a row, unless the generation has changed since; says if it did.
pub(super) async fn commit(file: &File, group: &str, share: &Share, row: i64) -> Result<bool, LogError> {
    if share.positions.is_empty() {
        return Ok(true);
    }
    let text = &format!(
        "INSERT INTO positions (grp, topic, part, position) VALUES {} \
         ON CONFLICT (grp, topic, part) DO UPDATE SET position = MAX(positions.position, excluded.position)",
        rows_of_params(share.positions.len(), 4, 1)
    );
    let work = |mut tx: Tx| async move {
        if generation(&mut tx, group).await? != share.generation {
            return tx.commit_with(false).await;
        }
        let mut query = sqlx::query(AssertSqlSafe(text.clone()));
        for (topic, part) in share.positions.keys() {
            query = query
                .bind(group.to_owned())
                .bind(topic.clone())
                .bind(*part)
                .bind(row);
        }
        query.execute(tx.conn()).await?;
        tx.commit_with(true).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_exactly_one_reader() {
        for count in 1..9 {
            let members: Vec<(String, String)> = (0..count)
                .map(|n| (format!("m{n}"), if n % 2 == 0 { "a,b" } else { "a" }.to_owned()))
                .collect();
            let mut dealt: Vec<Slot> = members
                .iter()
                .flat_map(|(name, _)| deal(&members, name).expect("a member"))
                .collect();
            dealt.sort();
            let parts = i64::from(PARTITIONS);
            let all: Vec<Slot> = ["a", "b"]
                .iter()
                .flat_map(|t| (0..parts).map(move |p| (t.to_string(), p)))
                .collect();
            assert_eq!(dealt, all, "{count} members");
        }
    }

    #[test]
    fn a_stranger_has_no_share() {
        assert_eq!(deal(&[("m".into(), "a".into())], "other"), None);
    }
}
