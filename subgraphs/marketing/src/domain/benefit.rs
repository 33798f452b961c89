//! Benefit: what marketing knows of one order, and has done about it.
//!
//! The facts come from three services in any order, so each is noted, and what follows from it is done when all it
//! needs is there: a coupon is used up when both the order that uses it and its delivery are known.

/// What is known of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Benefit {
    /// The coupon it uses, once known.
    pub coupon_id: Option<String>,
    /// How it ended.
    pub end: Option<End>,
    /// Its payment went back to the customer.
    pub refunded: bool,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// 배송됨.
    Delivered(Delivery),
    /// 주문취소됨, or never paid.
    Cancelled,
}

/// A delivery and what it earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `sub` of the customer.
    pub customer_id: String,
    /// Who cooked.
    pub store_id: String,
    /// Points granted by the rules of that day.
    pub points: i64,
    /// When, in ms since 1970.
    pub at: i64,
}

impl Benefit {
    /// Notes the coupon; says whether that is news.
    pub fn note_coupon(&mut self, coupon_id: &str) -> bool {
        let news = self.coupon_id.is_none();
        self.coupon_id.get_or_insert_with(|| coupon_id.to_owned());
        news
    }

    /// Notes the delivery; says whether that is news. Should an order be both, delivered outweighs cancelled, so that
    /// any order of arrival ends the same.
    pub fn note_delivery(&mut self, delivery: Delivery) -> bool {
        let news = self.delivery().is_none();
        if news {
            self.end = Some(End::Delivered(delivery));
        }
        news
    }

    /// Notes the cancellation; says whether that is news. It is none for an order that was delivered.
    pub fn note_cancellation(&mut self) -> bool {
        let news = self.end.is_none();
        self.end.get_or_insert(End::Cancelled);
        news
    }

    /// Notes the refund; says whether that is news.
    pub fn note_refund(&mut self) -> bool {
        !std::mem::replace(&mut self.refunded, true)
    }

    /// The delivery, if that is how it ended.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.end {
            Some(End::Delivered(delivery)) => Some(delivery),
            Some(End::Cancelled) | None => None,
        }
    }
}
