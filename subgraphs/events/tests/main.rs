//! The published language keeps its promises.

use baedal_events::{DomainEvent, all, marketing::CouponIssued, order::OrderPlaced, store::Delivered};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_aliases_korean() {
    let events = all();
    let types: BTreeSet<_> = events.iter().map(|e| e.r#type).collect();
    let aliases: BTreeSet<_> = events.iter().map(|e| e.alias).collect();
    assert_eq!(types.len(), events.len());
    assert_eq!(aliases.len(), events.len());
    for event in &events {
        assert!(
            event.alias.chars().all(|c| ('가'..='힣').contains(&c)),
            "{}",
            event.alias
        );
        assert!(event.version >= 1 && event.topic.starts_with("baedal."));
    }
}

#[test]
fn every_example_has_exactly_the_fields_of_its_schema() {
    for event in all() {
        let fields: BTreeSet<_> = keys(&event.example);
        let properties: BTreeSet<_> = keys(&event.schema["properties"]);
        assert_eq!(fields, properties, "{}", event.r#type);
        for required in event.schema["required"].as_array().into_iter().flatten() {
            assert!(
                !event.example[required.as_str().expect("a name")].is_null(),
                "{}",
                event.r#type
            );
        }
        assert!(
            event.schema.get("additionalProperties").is_none(),
            "unknown fields must be allowed"
        );
    }
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn a_reader_ignores_fields_it_does_not_know() {
    let mut data = OrderPlaced::example().to_data();
    data["addedLater"] = json!({"deep": [1, 2]});
    assert_eq!(
        OrderPlaced::from_data(&data).expect("still readable"),
        OrderPlaced::example()
    );
}

#[test]
fn a_missing_required_field_is_an_error_that_names_it() {
    let mut data = Delivered::example().to_data();
    data.as_object_mut().expect("an object").remove("total");
    let error = Delivered::from_data(&data)
        .expect_err("total is required")
        .to_string();
    assert!(error.contains("total"), "{error}");
}

#[test]
fn the_key_is_the_order_where_there_is_one() {
    assert_eq!(OrderPlaced::example().key(), "order-1");
    let campaign_coupon = CouponIssued {
        order_id: None,
        ..CouponIssued::example()
    };
    assert_eq!(campaign_coupon.key(), "coupon-1");
}

#[test]
fn names_on_the_wire_are_camel_case() {
    let data = OrderPlaced::example().to_data();
    assert_eq!(data["items"][0]["menuItemId"], "tongdak");
    assert_eq!(data["couponId"], "coupon-1");
}
