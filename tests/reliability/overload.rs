//! Three times as many requests as the service can answer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    binary::Served,
    client::{CASE, Client, alone, get, header, post, processor_time},
};

/// What came of the requests of a run.
#[derive(Default)]
struct Run {
    answered: Vec<Duration>,
    turned_away: Vec<Duration>,
    lasted: Duration,
    processor_time: f64,
}

impl Run {
    fn goodput(&self) -> f64 {
        self.answered.len() as f64 / self.lasted.as_secs_f64()
    }

    /// Requests that were answered for each second of the processor that the service had.
    fn efficiency(&self) -> f64 {
        self.answered.len() as f64 / self.processor_time
    }

    fn add(&mut self, other: Self) {
        self.answered.extend(other.answered);
        self.turned_away.extend(other.turned_away);
    }
}

/// Milliseconds that a share of the requests stayed below.
fn quantile(times: &mut [Duration], share: f64) -> u128 {
    times.sort_unstable();
    let place = (times.len() as f64 * share) as usize;
    times.get(place.min(times.len().saturating_sub(1))).map_or(0, Duration::as_millis)
}

/// Asks with so many clients for a time. With a rate, each request has its time whatever came of those before, so that
/// a service that falls behind is not spared.
fn load(served: &Served, clients: u32, lasts: Duration, rate: Option<f64>) -> Run {
    let begin = Instant::now();
    let used = processor_time(served.process());
    let mut run = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|number| {
                scope.spawn(move || {
                    let mut run = Run::default();
                    let mut client = Client::connect(served.address).unwrap();
                    let request = post(CASE);
                    for turn in 0_u32.. {
                        if let Some(rate) = rate {
                            let due =
                                begin + Duration::from_secs_f64(f64::from(turn * clients + number) / rate);
                            thread::sleep(due.saturating_duration_since(Instant::now()));
                        }
                        let sent = Instant::now();
                        if sent > begin + lasts {
                            return run;
                        }
                        let answer = client.ask(&request).unwrap();
                        match answer.status {
                            200 => run.answered.push(sent.elapsed()),
                            503 => {
                                assert_eq!(header(&answer.head, "retry-after"), Some("1"), "{answer:?}");
                                assert_eq!(header(&answer.head, "connection"), None, "{answer:?}");
                                let problem: Value = serde_json::from_str(&answer.body).unwrap();
                                assert_eq!(problem["code"], "overloaded");
                                run.turned_away.push(sent.elapsed());
                            }
                            other => panic!("{other}: {answer:?}"),
                        }
                    }
                    run
                })
            })
            .collect();
        let mut all = Run::default();
        for client in clients {
            all.add(client.join().unwrap());
        }
        all
    });
    run.lasted = begin.elapsed();
    run.processor_time = processor_time(served.process()) - used;
    run
}

#[test]
fn at_three_times_saturation_it_answers_as_many_as_ever_and_turns_the_rest_away() {
    let _machine = alone();
    let served = Served::start(&[("COXA__SERVER__WORKERS", "1"), ("COXA__TELEMETRY__ACCESS_LOG", "false")]);
    let seconds = Duration::from_secs;
    load(&served, 2, seconds(1), None);
    let mut peak = load(&served, 4, seconds(4), None);
    assert!(peak.turned_away.is_empty(), "{} were turned away without need", peak.turned_away.len());
    let over = AtomicBool::new(false);
    let mut overload = thread::scope(|scope| {
        // Health is told throughout, or the service would be restarted for having much to do.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for path in ["/livez", "/readyz"] {
                    assert_eq!(Client::once(served.address, &get(path)).unwrap().status, 200, "{path}");
                }
            }
        });
        let run = load(&served, 400, seconds(6), Some(3.0 * peak.goodput()));
        over.store(true, Ordering::Relaxed);
        run
    });
    let offered = overload.answered.len() + overload.turned_away.len();
    let offered = offered as f64 / overload.lasted.as_secs_f64() / peak.goodput();
    let goodput = overload.goodput() / peak.goodput();
    // Those who ask are on the same machine and take the processor from the service, so that goodput alone would
    // measure them. This does not depend on what else runs.
    let efficiency = overload.efficiency() / peak.efficiency();
    println!(
        "peak {:.0}/s, p99 {} ms; offered {offered:.2} of it: goodput {goodput:.2} of it, \
         {efficiency:.2} of it for the same processor time; p50 {} ms, p99 {} ms; \
         turned away {}, p50 {} ms, p99 {} ms",
        peak.goodput(),
        quantile(&mut peak.answered, 0.99),
        quantile(&mut overload.answered, 0.5),
        quantile(&mut overload.answered, 0.99),
        overload.turned_away.len(),
        quantile(&mut overload.turned_away, 0.5),
        quantile(&mut overload.turned_away, 0.99),
    );
    assert!(offered > 2.0, "the machine is too slow to ask that often: {offered}");
    assert!(!overload.turned_away.is_empty());
    assert!(efficiency >= 0.8, "{efficiency}");
    assert!(quantile(&mut overload.answered, 0.99) < 5000);
    // And it is over as soon as the load is.
    let after = load(&served, 2, seconds(1), None);
    assert!(after.turned_away.is_empty() && after.answered.len() > 1);
}
