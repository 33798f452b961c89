//! Clients written by others complete every flow.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, CsrfToken, HttpClientError, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
};

use crate::browser::http;
use crate::world::{REDIRECT, World};

type Failure = HttpClientError<reqwest::Error>;

/// reqwest of our version, in the shape the `oauth2` crate asks for.
async fn send(request: openidconnect::HttpRequest) -> Result<openidconnect::HttpResponse, Failure> {
    let response = http()
        .execute(request.try_into().map_err(Box::new)?)
        .await
        .map_err(Box::new)?;
    let mut builder = openidconnect::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        builder = builder.header(name, value);
    }
    let body = response.bytes().await.map_err(Box::new)?.to_vec();
    builder.body(body).map_err(HttpClientError::Http)
}

#[tokio::test]
async fn openidconnect_completes_the_login() {
    let world = World::demo().await;
    let issuer = IssuerUrl::new(world.running.issuer().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.unwrap();
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new("baedal-cli".into()), None)
        .set_redirect_uri(RedirectUrl::new(REDIRECT.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        CsrfToken::new_random,
        Nonce::new_random,
    );
    let scopes = ["profile", "offline_access", "order"].map(|scope| Scope::new(scope.into()));
    let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();

    let page = world
        .browser()
        .approve(url.as_str(), "customer", "baedal-customer")
        .await;
    assert_eq!(page.answer("state").as_deref(), Some(state.secret().as_str()));
    let code = AuthorizationCode::new(page.answer("code").unwrap());

    let tokens = client
        .exchange_code(code)
        .unwrap()
        .set_pkce_verifier(verifier)
        .request_async(&send)
        .await
        .unwrap();
    let id_token = tokens.id_token().unwrap();
    let id_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_verifier, &nonce).unwrap();
    assert_eq!(claims.subject().as_str(), "demo-customer");
    let key = id_token.signing_key(&id_verifier).unwrap();
    let hash =
        AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg().unwrap(), key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));
    assert!(
        id_token.claims(&id_verifier, &Nonce::new_random()).is_err(),
        "another nonce is noticed"
    );

    let user = client
        .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        .unwrap();
    let user: CoreUserInfoClaims = user.request_async(&send).await.unwrap();
    assert_eq!(user.preferred_username().unwrap().as_str(), "customer");

    let refreshed = client
        .exchange_refresh_token(tokens.refresh_token().unwrap())
        .unwrap();
    let refreshed = refreshed.request_async(&send).await.unwrap();
    assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
    assert_ne!(
        refreshed.refresh_token().unwrap().secret(),
        tokens.refresh_token().unwrap().secret()
    );
}

#[tokio::test]
async fn oauth2_gets_a_token_for_a_machine() {
    let world = World::demo().await;
    let url = oauth2::TokenUrl::new(format!("{}/token", world.base)).unwrap();
    for auth_type in [oauth2::AuthType::BasicAuth, oauth2::AuthType::RequestBody] {
        let client = oauth2::basic::BasicClient::new(oauth2::ClientId::new("machine".into()))
            .set_client_secret(oauth2::ClientSecret::new(world.machine.clone()))
            .set_token_uri(url.clone())
            .set_auth_type(auth_type);
        let request = client
            .exchange_client_credentials()
            .add_scope(oauth2::Scope::new("order".into()));
        let tokens = request.request_async(&send).await.unwrap();
        assert!(tokens.refresh_token().is_none());
        let seen = world.introspect(tokens.access_token().secret()).await;
        assert_eq!(
            (seen["sub"].as_str(), seen["scope"].as_str()),
            (Some("machine"), Some("order"))
        );
    }
}

/// The platform's own verifier, from the published keys only.
#[tokio::test]
async fn the_verifier_of_the_platform_accepts_the_access_token() {
    let world = World::demo().await;
    let token = world.tokens().await.text("access_token");
    let keys =
        baedal_token::KeySet::from_jwks(world.get("/jwks.json").await.body.to_string().as_bytes()).unwrap();
    let now = u64::try_from(baedal_auth::system_clock()()).unwrap();
    let verifier = baedal_token::Verifier::new(world.running.issuer(), "baedal");
    let claims = verifier.verify(&token, &keys, now).unwrap();
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str()),
        ("demo-customer", "cli")
    );
    assert_eq!(claims.scope.to_string(), "offline_access openid order");
    assert_eq!(
        (claims.exp - claims.iat, claims.aud),
        (600, vec!["baedal".to_owned()])
    );
    let id_token = world.tokens().await.text("id_token");
    assert_eq!(
        verifier.verify(&id_token, &keys, now),
        Err(baedal_token::TokenError::NotAnAccessToken)
    );
}
