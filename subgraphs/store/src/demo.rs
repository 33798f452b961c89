//! The stores of the embedded demo. Put in once; a restart or a second replica changes nothing.

use crate::app::{App, AppError, Seed};

const SEOUL: Seed<'static> = Seed {
    name: "서울통닭",
    menu: &[
        ("tongdak", "통닭", 18_000),
        ("pizza", "피자", 23_000),
        ("yangnyeom", "양념치킨", 20_000),
        ("tteokbokki", "떡볶이", 7_000),
        ("cola", "콜라", 2_000),
    ],
};

const BUSAN: Seed<'static> = Seed {
    name: "부산밀면",
    menu: &[
        ("milmyeon", "밀면", 9_000),
        ("gukbap", "돼지국밥", 10_000),
        ("mandu", "만두", 6_000),
    ],
};

/// Founds both stores unless they are there.
pub async fn seed(app: &App) -> Result<(), AppError> {
    app.seed_store("demo-owner", "store-seoul", SEOUL).await?;
    app.seed_store("demo-owner-2", "store-busan", BUSAN).await
}
