//! Which idle connections a worker lets go once it has room for few more.
//!
//! A connection over the cap waits to be accepted, whatever the others are doing. So those that have been idle for the
//! longest are let go before the cap is reached. A request that has come is never cut.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    task::Waker,
};

/// One in so many places is kept free, where idle connections hold the others.
const SPARE: usize = 16;

/// The places of one worker, for one connection each.
#[derive(Debug, Clone)]
pub struct Room(Rc<State>);

#[derive(Debug)]
struct State {
    /// How many connections stay without any being let go.
    comfortable: usize,
    open: Cell<usize>,
    /// Those of them that are let go and not yet closed.
    leaving: Cell<usize>,
    next: Cell<u64>,
    /// The longest idle first.
    idle: RefCell<BTreeMap<u64, Idle>>,
}

#[derive(Debug)]
struct Idle {
    waker: Waker,
    let_go: Rc<Cell<bool>>,
}

impl Room {
    /// For a worker that takes so many connections.
    pub fn new(most: usize) -> Self {
        Self(Rc::new(State {
            comfortable: most.saturating_sub((most / SPARE).max(1)),
            open: Cell::default(),
            leaving: Cell::default(),
            next: Cell::default(),
            idle: RefCell::default(),
        }))
    }

    /// Gives a new connection its place.
    pub fn enter(&self) -> Place {
        self.0.open.set(self.0.open.get() + 1);
        self.0.make_room();
        Place { room: self.clone(), idle: None, let_go: Rc::default() }
    }
}

impl State {
    fn make_room(&self) {
        while self.open.get().saturating_sub(self.leaving.get()) > self.comfortable {
            let Some((_, longest)) = self.idle.borrow_mut().pop_first() else { return };
            longest.let_go.set(true);
            self.leaving.set(self.leaving.get() + 1);
            longest.waker.wake();
        }
    }
}

/// The place of one connection; free again once it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Room,
    idle: Option<u64>,
    let_go: Rc<Cell<bool>>,
}

impl Place {
    /// Says that nothing is asked on the connection. It may be let go from now on, and its task is then woken.
    pub fn rest(&mut self, waker: &Waker) {
        if self.idle.is_some() {
            return;
        }
        let state = &self.room.0;
        let turn = state.next.get();
        state.next.set(turn + 1);
        self.idle = Some(turn);
        let idle = Idle { waker: waker.clone(), let_go: self.let_go.clone() };
        state.idle.borrow_mut().insert(turn, idle);
        state.make_room();
    }

    /// Says that something is asked on it. It stays, even where it was to go.
    pub fn stay(&mut self) {
        let Some(turn) = self.idle.take() else { return };
        let state = &self.room.0;
        state.idle.borrow_mut().remove(&turn);
        if self.let_go.replace(false) {
            state.leaving.set(state.leaving.get().saturating_sub(1));
        }
    }

    /// Whether it is to be closed.
    pub fn is_let_go(&self) -> bool {
        self.let_go.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stay();
        let state = &self.room.0;
        state.open.set(state.open.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_go(places: &[Place]) -> Vec<usize> {
        (0..places.len()).filter(|number| places[*number].is_let_go()).collect()
    }

    #[test]
    fn the_longest_idle_goes_first_and_no_more_go_than_there_is_need_for() {
        let room = Room::new(32);
        let mut places: Vec<Place> = (0..30).map(|_| room.enter()).collect();
        for number in [7, 3, 9] {
            places[number].rest(Waker::noop());
        }
        assert!(let_go(&places).is_empty());
        places.push(room.enter());
        assert_eq!(let_go(&places), [7]);
        places.push(room.enter());
        assert_eq!(let_go(&places), [3, 7]);
        // Its place is free now, and the next one takes it.
        drop(places.remove(7));
        places.push(room.enter());
        assert_eq!(let_go(&places), [3, 8]);
    }

    #[test]
    fn whoever_asks_stays_and_another_goes_for_it() {
        let room = Room::new(4);
        let mut places: Vec<Place> = (0..3).map(|_| room.enter()).collect();
        places[0].rest(Waker::noop());
        places[1].rest(Waker::noop());
        places.push(room.enter());
        assert_eq!(let_go(&places), [0]);
        places[0].stay();
        assert!(let_go(&places).is_empty());
        places[2].rest(Waker::noop());
        assert_eq!(let_go(&places), [1]);
        // With nobody idle, nobody goes.
        drop(places);
        let places: Vec<Place> = (0..9).map(|_| room.enter()).collect();
        assert!(let_go(&places).is_empty());
    }
}
