//! Three times as many requests as the service can answer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

use crate::{
    binary::Served,
    client::{CASE, Client, alone, get, header, post, processor_time},
};

/// The processors that this thread may use, given back once it is dropped.
struct Processors(CpuSet);

impl Processors {
    fn of_this_thread() -> Self {
        Self(sched_getaffinity(None).unwrap())
    }

    /// Lets this thread, and what it starts from now on, use only those of the processors whose place is wanted. With one
    /// processor there is nothing to choose.
    fn only(&self, wanted: impl Fn(usize) -> bool) {
        let mut chosen = CpuSet::new();
        let all = (0..CpuSet::MAX_CPU).filter(|&number| self.0.is_set(number));
        all.enumerate().filter(|(place, _)| wanted(*place)).for_each(|(_, number)| chosen.set(number));
        if chosen.count() > 0 {
            sched_setaffinity(None, &chosen).unwrap();
        }
    }
}

impl Drop for Processors {
    fn drop(&mut self) {
        sched_setaffinity(None, &self.0).unwrap();
    }
}

/// What came of the requests of a run.
#[derive(Default)]
struct Run {
    answered: Vec<Duration>,
    /// When each of them was sent, since the begin of the run.
    sent: Vec<Duration>,
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
        self.sent.extend(other.sent);
        self.turned_away.extend(other.turned_away);
    }
}

/// How long it takes until requests are answered as fast as usual: 99 of 100 that are sent from then on.
fn recovery(run: &Run, usual: u128) -> Option<Duration> {
    (0..25).map(|step| Duration::from_millis(100) * step).find(|from| {
        let times = run.answered.iter().zip(&run.sent).filter(|(_, sent)| *sent >= from);
        let mut times: Vec<Duration> = times.map(|(time, _)| *time).collect();
        !times.is_empty() && quantile(&mut times, 0.99) <= usual
    })
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
                            200 => {
                                run.answered.push(sent.elapsed());
                                run.sent.push(sent - begin);
                            }
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
fn at_three_times_saturation_it_answers_as_many_as_ever_in_time_and_turns_the_rest_away() {
    const CLIENTS: u32 = 400;
    let _machine = alone();
    // A processor for the service and another one for those who ask, or they would take it from the service.
    let processors = Processors::of_this_thread();
    processors.only(|place| place == 0);
    let served = Served::start(&[("COXA__SERVER__WORKERS", "1"), ("COXA__TELEMETRY__ACCESS_LOG", "false")]);
    processors.only(|place| place > 0);
    let seconds = Duration::from_secs;
    load(&served, 2, seconds(1), None);
    let mut peak = load(&served, 4, seconds(3), None);
    assert!(peak.turned_away.is_empty(), "{} were turned away without need", peak.turned_away.len());
    let over = AtomicBool::new(false);
    let mut overload = thread::scope(|scope| {
        // Health is told throughout, or the service would be restarted for having much to do.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for path in ["/livez", "/readyz"] {
                    assert_eq!(Client::once(served.address, &get(path)).unwrap().status, 200, "{path}");
                }
                // More often than anyone probes, and not so often that this is the load.
                thread::sleep(Duration::from_millis(50));
            }
        });
        // A little more than is wanted: those who ask do not get the processor whenever they want it either.
        let run = load(&served, CLIENTS, seconds(6), Some(3.5 * peak.goodput()));
        over.store(true, Ordering::Relaxed);
        run
    });
    // It is over as soon as the load is: from here on, half of what the service can answer is asked.
    let after = load(&served, 2, seconds(3), Some(0.5 * peak.goodput()));
    assert!(after.turned_away.is_empty(), "{} are turned away after the load", after.turned_away.len());
    let asked = overload.answered.len() + overload.turned_away.len();
    let offered = asked as f64 / overload.lasted.as_secs_f64() / peak.goodput();
    let goodput = overload.goodput() / peak.goodput();
    // Those who ask are on the same machine and take the processor from the service, so that goodput alone would
    // measure them and whatever else runs.
    let efficiency = overload.efficiency() * 2.0 / (peak.efficiency() + after.efficiency());
    // Twice what is usual, and room for a machine that does something else.
    let recovery = recovery(&after, 2 * quantile(&mut peak.answered, 0.99) + 20);
    let all_served = f64::from(CLIENTS) / overload.goodput();
    println!(
        "peak {:.0}/s, p99 {} ms; offered {offered:.2} of it: goodput {goodput:.2} of it, {efficiency:.2} of it for the \
         same processor time; answered p50 {} ms, p99 {} ms; turned away {}, p50 {} ms, p99 {} ms; {:.0} ms if all \
         were served; as fast as usual {recovery:?} after it",
        peak.goodput(),
        quantile(&mut peak.answered, 0.99),
        quantile(&mut overload.answered, 0.5),
        quantile(&mut overload.answered, 0.99),
        overload.turned_away.len(),
        quantile(&mut overload.turned_away, 0.5),
        quantile(&mut overload.turned_away, 0.99),
        all_served * 1000.0,
    );
    assert!(offered > 1.5, "those who ask are too slow: {offered}");
    assert!(!overload.turned_away.is_empty());
    println!(
        "figure overload: {offered:.1} times the peak asked: {efficiency:.2} of the answers for the same processor time, as \
         fast as usual within {:.1} s after it",
        recovery.map_or(f64::INFINITY, |recovery| recovery.as_secs_f64()),
    );
    // Without anything else on the machine it is 0.9 and more.
    assert!(efficiency >= 0.75, "{efficiency}");
    // Twenty, and room for a slow machine.
    assert!(quantile(&mut overload.turned_away, 0.5) <= 30);
    assert!(recovery.is_some_and(|recovery| recovery <= seconds(2)), "{recovery:?}");
    assert!((quantile(&mut overload.answered, 0.5) as f64) < all_served * 1000.0 * 0.7);
}
