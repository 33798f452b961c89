//! A user proves who they are. Against guessing: OWASP ASVS 6.3, and the same work and answer for every wrong pair.

use uuid::Uuid;

use crate::context::Context;
use crate::db::DbError;
use crate::domain::{
    HasherBusy, Password, PasswordError, SESSION_LIFETIME, Secret, Session, User, locked_for, sha256,
};

/// Why a login is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefusal {
    /// Login and password do not belong together; which of them is wrong stays unsaid.
    #[error("Login or password is wrong.")]
    Wrong,
    /// Too many failures; the seconds to wait.
    #[error("Too many failed attempts. Try again later.")]
    Locked(i64),
    /// No password at all: nothing was hashed.
    #[error("{0}")]
    NoPassword(#[from] PasswordError),
    /// Too many logins at once.
    #[error("The server is busy. Try again in a few seconds.")]
    Busy(#[from] HasherBusy),
    /// The database failed.
    #[error("The server could not complete the request.")]
    Server(#[from] DbError),
}

/// Checks login and password, and opens a session: the new cookie's value comes back.
pub async fn log_in(
    ctx: &Context,
    login: &str,
    password: &str,
    address: &str,
) -> Result<Secret, LoginRefusal> {
    let password = Password::typed(password)?;
    let login = login.trim().to_lowercase();
    let account = sha256(&login);
    let attempt = Uuid::new_v4().to_string();
    let attempts = ctx
        .db
        .begin_attempt(&attempt, &account, address, ctx.now())
        .await?;
    if let Some(seconds) = locked_for(attempts, ctx.now()) {
        ctx.db.forget_attempt(&attempt).await?;
        return Err(LoginRefusal::Locked(seconds));
    }
    let user = ctx.db.user_by_login(&login).await?;
    let stored = user.as_ref().map(|user| user.password.clone());
    let right = match ctx.hasher.verify(password.clone(), stored).await {
        Ok(right) => right,
        Err(busy) => {
            ctx.db.forget_attempt(&attempt).await?;
            return Err(busy.into());
        }
    };
    let user = user.filter(|_| right).ok_or(LoginRefusal::Wrong)?;
    ctx.db.forget_failures(&account).await?;
    strengthen(ctx, &user, password).await?;
    open_session(ctx, user.sub).await
}

/// A hash weaker than today's is made anew while the password is at hand.
async fn strengthen(ctx: &Context, user: &User, password: Password) -> Result<(), LoginRefusal> {
    if ctx.hasher.is_weak(&user.password) {
        let new = ctx.hasher.hash(password).await?;
        ctx.db.rehash(&user.sub, &user.password, &new).await?;
    }
    Ok(())
}

async fn open_session(ctx: &Context, sub: String) -> Result<Secret, LoginRefusal> {
    let now = ctx.now();
    let cookie = Secret::random();
    ctx.db
        .add_session(
            &cookie.hash(),
            &Session { sub, auth_time: now },
            now + SESSION_LIFETIME,
        )
        .await?;
    Ok(cookie)
}
