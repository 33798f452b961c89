//! What a new user reads first.
use crate::demo::Account;
use crate::settings::{Part, Settings};

/// Addresses, accounts, and a first command that works.
pub fn text(settings: &Settings) -> String {
    let mut lines = vec!["baedal is ready.".to_owned(), String::new()];
    for part in settings.parts() {
        let url = if part == Part::Auth {
            settings.issuer()
        } else {
            settings.graphql(part)
        };
        lines.push(format!("  {:<10} {url}", part.name()));
    }
    if settings.parts().contains(&Part::Auth) {
        lines.push(String::new());
        lines.push("Demo accounts (login / password), on this embedded platform only:".to_owned());
        for account in Account::ALL {
            lines.push(format!("  {:<10} {}", account.login(), account.password()));
        }
    }
    if settings.parts().len() == Part::ALL.len() {
        lines.push(String::new());
        lines.push("Order a 통닭 (in another terminal):".to_owned());
        lines.push(first_command(settings));
    }
    lines.push(String::new());
    lines.push(format!(
        "Data is kept in {}. Ctrl-C stops.",
        settings.data.display()
    ));
    lines.join("\n")
}

fn first_command(settings: &Settings) -> String {
    let port = if settings.ports.auth == 4001 {
        String::new()
    } else {
        format!(" --auth-port {}", settings.ports.auth)
    };
    let query = r#"{"query":"mutation { placeOrder(input: { storeId: \"store-seoul\", items: [{ menuItemId: \"tongdak\", quantity: 1 }], address: \"서울\", idempotencyKey: \"first\" }) { id status total } }"}"#;
    format!(
        "  TOKEN=$(cargo run -q -- token --as customer{port})\n  curl {} -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \\\n    -d '{query}'",
        settings.graphql(Part::Gateway)
    )
}
