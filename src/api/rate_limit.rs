//! How often one client may ask: what is left to it, and when it may ask again.
//!
//! The quota refills evenly over its window. Who the client is, is decided in `access`.

use core::{net::IpAddr, num::NonZeroU32, time::Duration};
use std::sync::Mutex;

use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How many clients without a key are told apart. Beyond it they share one quota, so that memory stays bounded.
const MOST_CLIENTS: usize = 100_000;

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// The bearer of the key at this place of the settings.
    Key(u64),
    /// Whoever has this address or network.
    Network(IpAddr),
    /// All whose address is not known, or who are too many to be told apart.
    Others,
}

/// How many requests a client may send in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests, at most 1,000,000.
    pub requests: NonZeroU32,
    /// Length of the window in seconds.
    pub window_seconds: NonZeroU32,
}

/// What was decided on one request.
#[derive(Debug)]
pub struct Decision {
    /// Headers that tell the client of its quota.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// After how many seconds the client may ask again; none where it may ask now.
    pub retry_after: Option<u64>,
}

type Table<C> = RateLimiter<Client, HashMapStateStore<Client>, C, StateInformationMiddleware>;

/// A limit and what each client has used of it.
pub struct RateLimit<C: Clock = DefaultClock> {
    rate: Rate,
    refill: Duration,
    table: Table<C>,
    clock: C,
    /// When clients that have their whole quota back were last forgotten.
    swept: Mutex<C::Instant>,
}

impl RateLimit {
    /// A limit that nobody has used yet; none where the rate is beyond what can be counted.
    #[must_use]
    pub fn new(rate: Rate) -> Option<Self> {
        Self::with_clock(rate, DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimit<C> {
    fn with_clock(rate: Rate, clock: C) -> Option<Self> {
        let window = Duration::from_secs(rate.window_seconds.get().into());
        let refill = window / rate.requests.get();
        let quota = Quota::with_period(refill)?.allow_burst(rate.requests);
        let table = RateLimiter::hashmap_with_clock(quota, clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        let swept = Mutex::new(clock.now());
        Some(Self { rate, refill, table, clock, swept })
    }

    /// Counts one request of a client.
    pub fn check(&self, client: Client) -> Decision {
        self.sweep();
        let unnamed = matches!(client, Client::Network(_));
        let client = if unnamed && self.table.len() >= MOST_CLIENTS { Client::Others } else { client };
        let (left, retry_after) = match self.table.check_key(&client) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(seconds(until.wait_time_from(self.clock.now())).max(1))),
        };
        let (requests, window) = (self.rate.requests.get(), self.rate.window_seconds);
        let whole_again = seconds(self.refill * (requests - left.min(requests)));
        let mut headers = Vec::new();
        let mut say = |name, text: String| {
            // Digits and a few signs: always a header.
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.push((name, value));
            }
        };
        say(RATE_LIMIT_POLICY, format!("\"default\";q={requests};w={window}"));
        say(RATE_LIMIT, format!("\"default\";r={left};t={whole_again}"));
        if let Some(wait) = retry_after {
            say(RETRY_AFTER, wait.to_string());
        }
        Decision { headers, retry_after }
    }

    /// What the limit is, in words.
    pub fn words(&self) -> String {
        let count =
            |number: u32, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let Rate { requests, window_seconds } = self.rate;
        format!("{} in {}", count(requests.get(), "request"), count(window_seconds.get(), "second"))
    }

    /// Once a window, forgets the clients that have their whole quota back: they are as new ones.
    fn sweep(&self) {
        let now = self.clock.now();
        // Who finds another request at it need not wait.
        let Ok(mut swept) = self.swept.try_lock() else { return };
        let since: Duration = governor::clock::Reference::duration_since(&now, *swept).into();
        if since >= Duration::from_secs(self.rate.window_seconds.get().into()) {
            *swept = now;
            self.table.retain_recent();
            self.table.shrink_to_fit();
        }
    }
}

/// Whole seconds, rounded up: who waits as long as is said has waited long enough.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(requests: u32, window_seconds: u32) -> (RateLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let number = |number| NonZeroU32::new(number).unwrap();
        let rate = Rate { requests: number(requests), window_seconds: number(window_seconds) };
        (RateLimit::with_clock(rate, clock.clone()).unwrap(), clock)
    }

    fn network(number: u32) -> Client {
        Client::Network(IpAddr::V4(number.into()))
    }

    fn told(decision: &Decision) -> Vec<&str> {
        decision.headers.iter().map(|(_, value)| value.to_str().unwrap()).collect()
    }

    #[test]
    fn what_is_left_is_told_and_who_waits_as_told_may_ask_again() {
        let (limit, clock) = limit(5, 60);
        for left in (0..5).rev() {
            let decision = limit.check(network(1));
            let state = format!("\"default\";r={left};t={}", (5 - left) * 12);
            assert_eq!(told(&decision), ["\"default\";q=5;w=60", &state]);
            assert_eq!(decision.retry_after, None);
        }
        let refused = limit.check(network(1));
        assert_eq!(told(&refused), ["\"default\";q=5;w=60", "\"default\";r=0;t=60", "12"]);
        assert!(limit.check(network(2)).retry_after.is_none(), "another client is not concerned");
        clock.advance(Duration::from_secs(11));
        assert_eq!(limit.check(network(1)).retry_after, Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.check(network(1)).retry_after, None);
    }

    #[test]
    fn clients_that_have_their_quota_back_are_forgotten() {
        let (limit, clock) = limit(5, 60);
        for number in 0..1000 {
            limit.check(network(number));
        }
        assert_eq!(limit.table.len(), 1000);
        clock.advance(Duration::from_secs(121));
        limit.check(network(1));
        assert_eq!(limit.table.len(), 1);
    }

    #[test]
    fn too_many_clients_share_one_quota_and_keys_keep_their_own() {
        let (limit, _) = limit(2, 60);
        let most = u32::try_from(MOST_CLIENTS).unwrap();
        for number in 0..most {
            limit.check(network(number));
        }
        assert!(limit.check(network(most)).retry_after.is_none());
        assert!(limit.check(network(most + 1)).retry_after.is_none());
        assert!(limit.check(network(most + 2)).retry_after.is_some());
        assert!(limit.check(Client::Key(0)).retry_after.is_none());
        assert!(limit.table.len() <= MOST_CLIENTS + 2);
    }

    #[test]
    fn the_limit_is_said_in_words() {
        assert_eq!(limit(5, 60).0.words(), "5 requests in 60 seconds");
        assert_eq!(limit(1, 1).0.words(), "1 request in 1 second");
    }
}
