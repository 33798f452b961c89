//! The tables. `decided_on` is the version a row's writer had read: a row is replaced only if it still has that version.

pub const SCHEMA: &[&str] = &[
    "CREATE TABLE benefits (order_id TEXT PRIMARY KEY, coupon_id TEXT NOT NULL, ended TEXT NOT NULL,
        customer_id TEXT NOT NULL, store_id TEXT NOT NULL, points BIGINT NOT NULL, delivered_at BIGINT NOT NULL,
        refunded BIGINT NOT NULL, version BIGINT NOT NULL, decided_on BIGINT NOT NULL);
     CREATE TABLE coupons (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, amount BIGINT NOT NULL,
        issued_for TEXT NOT NULL UNIQUE, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, status TEXT NOT NULL,
        order_id TEXT NOT NULL, waiting TEXT NOT NULL, version BIGINT NOT NULL, decided_on BIGINT NOT NULL);
     CREATE INDEX coupons_of_customer ON coupons (customer_id, issued_at, id);
     CREATE INDEX coupons_by_expiry ON coupons (status, expires_at, id);
     CREATE TABLE members (customer_id TEXT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0),
        entries BIGINT NOT NULL, feed BIGINT NOT NULL, touched_at BIGINT NOT NULL, version BIGINT NOT NULL,
        decided_on BIGINT NOT NULL);
     CREATE INDEX members_touched ON members (touched_at, customer_id);
     CREATE TABLE ledger (customer_id TEXT NOT NULL, number BIGINT NOT NULL, order_id TEXT NOT NULL,
        kind TEXT NOT NULL, points BIGINT NOT NULL, balance BIGINT NOT NULL CHECK (balance >= 0), at BIGINT NOT NULL,
        PRIMARY KEY (customer_id, number), UNIQUE (order_id, kind));
     CREATE TABLE feed (customer_id TEXT NOT NULL, sequence BIGINT NOT NULL, order_id TEXT NOT NULL UNIQUE,
        store_id TEXT NOT NULL, points BIGINT NOT NULL, coupon_id TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (customer_id, sequence))",
];
