//! Member: a customer as marketing knows them, with their PointAccount (포인트) and their feed.
//!
//! The ledger is append-only, its sum is the balance, and the balance is never below 0. The feed's numbers have no gaps:
//! a number is given in the same step that changes the member, so two items cannot get the same one.

/// A customer's account and the end of their feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    customer_id: String,
    balance: i64,
    entries: u64,
    feed: u64,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the account, from 1.
    pub number: u64,
    /// The order it is about.
    pub order_id: String,
    /// Earned or taken back.
    pub kind: EntryKind,
    /// Change of the balance; negative when taken back.
    pub points: i64,
    /// The balance afterwards.
    pub balance: i64,
    /// When, in ms since 1970.
    pub at: i64,
}

/// Why points came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// 적립.
    Earned,
    /// 회수.
    Reversed,
}

/// What happened to the points of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointsEvent {
    /// 포인트적립됨.
    Earned(Entry),
    /// 포인트회수됨; the entry's points are negative.
    Reversed(Entry),
}

/// One line of a customer's feed: a delivery and what it brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedItem {
    /// Whose feed.
    pub customer_id: String,
    /// Its number in the feed, from 1, without gaps; also the cursor.
    pub sequence: u64,
    /// The delivered order.
    pub order_id: String,
    /// Who cooked.
    pub store_id: String,
    /// Points earned.
    pub points: i64,
    /// Coupon given.
    pub coupon_id: String,
    /// When it was delivered, in ms since 1970.
    pub at: i64,
}

impl Member {
    /// A customer nothing is known of yet.
    pub fn new(customer_id: &str) -> Member {
        Member {
            customer_id: customer_id.to_owned(),
            balance: 0,
            entries: 0,
            feed: 0,
        }
    }

    /// A member as it was stored: its balance, the numbers of its last ledger entry and of its last feed item.
    pub fn stored(customer_id: String, balance: i64, entries: u64, feed: u64) -> Member {
        Member {
            customer_id,
            balance: balance.max(0),
            entries,
            feed,
        }
    }

    /// Adds points for a delivered order; an order too small for a point adds no entry.
    pub fn earn(self, order_id: &str, points: i64, at: i64) -> (Member, Option<PointsEvent>) {
        let points = points.min(i64::MAX - self.balance);
        if points <= 0 {
            return (self, None);
        }
        let (member, entry) = self.append(order_id, EntryKind::Earned, points, at);
        (member, Some(PointsEvent::Earned(entry)))
    }

    /// Takes the points of a refunded order back, as far as they are there.
    pub fn reverse(self, order_id: &str, points: i64, at: i64) -> (Member, Option<PointsEvent>) {
        let points = points.min(self.balance);
        if points <= 0 {
            return (self, None);
        }
        let (member, entry) = self.append(order_id, EntryKind::Reversed, -points, at);
        (member, Some(PointsEvent::Reversed(entry)))
    }

    /// Takes the next number of the feed.
    pub fn next_in_feed(self) -> (Member, u64) {
        let feed = self.feed + 1;
        (Member { feed, ..self }, feed)
    }

    /// Whose it is.
    pub fn customer_id(&self) -> &str {
        &self.customer_id
    }

    /// The points.
    pub fn balance(&self) -> i64 {
        self.balance
    }

    /// Number of the last ledger entry.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Number of the last feed item.
    pub fn feed(&self) -> u64 {
        self.feed
    }

    fn append(self, order_id: &str, kind: EntryKind, points: i64, at: i64) -> (Member, Entry) {
        let (number, balance) = (self.entries + 1, self.balance + points);
        debug_assert!(balance >= 0, "earn adds and reverse takes at most the balance");
        let entry = Entry {
            number,
            order_id: order_id.to_owned(),
            kind,
            points,
            balance,
            at,
        };
        (
            Member {
                balance,
                entries: number,
                ..self
            },
            entry,
        )
    }
}

impl EntryKind {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::Earned => "EARNED",
            EntryKind::Reversed => "REVERSED",
        }
    }

    /// Reads what [`EntryKind::name`] wrote.
    pub fn parse(name: &str) -> Option<EntryKind> {
        [EntryKind::Earned, EntryKind::Reversed]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}
