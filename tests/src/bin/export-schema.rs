//! `cargo xtask schema`: writes `schema/` anew.
fn main() -> anyhow::Result<()> {
    baedal_tests::contract::export()
}
