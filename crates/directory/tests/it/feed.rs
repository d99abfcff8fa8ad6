//! The feed of changes: in the order of commits, without gaps, resumed anywhere, and honest about what is not kept.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::events::{
    self, Category, Changes, Event, Log, New, Outcome, Page, Place, Query,
};
use portreeve_directory::{Actor, Call, Refusal, directories, teams};
use portreeve_store::{Scope, Store, Tx};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

on_each_engine! {
    a_feed_is_resumed_anywhere
    positions_count_the_committed_events_of_a_team
    the_feed_tells_what_changed_something
    a_page_is_bounded_in_changes_in_text_and_in_what_it_passes_over
    what_is_old_goes_and_followers_who_missed_it_are_told
    a_log_is_read_from_an_event_or_a_position
    the_log_of_all_teams_goes_back_event_by_event
    a_follower_misses_nothing_of_what_many_write_on_two_servers
}

const CHANGE: New<'_> = New {
    category: Category::ScimSync,
    action: "patch",
    outcome: Outcome::Ok,
    object_kind: Some("User"),
    object_id: Some("u"),
    object_name: None,
    version: None,
    changes: None,
};
const ANSWER: New<'_> = New {
    action: "answer",
    ..CHANGE
};
const REFUSAL: New<'_> = New {
    outcome: Outcome::Refused {
        reason: "invalidValue",
        detail: "no",
    },
    ..CHANGE
};
const ADMIN: New<'_> = New {
    category: Category::Admin,
    action: "rotate",
    ..CHANGE
};
const SKIPPED: New<'_> = New {
    category: Category::Admin,
    ..REFUSAL
};

fn record(world: &World, new: &'static New<'static>) {
    world
        .write(move |tx, call| events::record(tx, call, new))
        .unwrap();
}

/// A call for another directory, of this team.
fn elsewhere(world: &World, team: &'static str, name: &'static str) -> Call {
    let made = world.write(move |tx, call| {
        let team = teams::ensure(tx, team, team, 1)?;
        let new = directories::New {
            id: format!("{name} of {}", team.name),
            team_id: team.id,
            name: name.to_owned(),
            provider: call.directory.provider,
            settings: call.directory.settings.clone(),
        };
        directories::create(tx, &new, 1)
    });
    Call {
        directory: Arc::new(made.unwrap()),
        actor: Actor::System,
        ..world.call()
    }
}

fn record_as(world: &World, call: &Call, new: &'static New<'static>) {
    let call = call.clone();
    world
        .write(move |tx, _| events::record(tx, &call, new))
        .unwrap();
}

fn changes(world: &World, after: Option<i64>, limit: usize) -> Changes {
    let team = world.directory.team_id.clone();
    let read = world.read(move |tx| events::changes(tx, &team, None, after, limit));
    read.unwrap()
}

fn page(world: &World, after: Option<i64>, limit: usize) -> Page {
    match changes(world, after, limit) {
        Changes::Page(page) => page,
        lost => panic!("{lost:?}"),
    }
}

fn end(world: &World) -> i64 {
    let team = world.directory.team_id.clone();
    world.read(move |tx| events::last(tx, &team)).unwrap()
}

fn prune(world: &World, log: Log, older_than: i64, limit: i64) -> usize {
    let team = world.directory.team_id.clone();
    let pruned =
        world.write(move |tx, _| events::prune(tx, &team, log, older_than, i64::MAX, limit));
    pruned.unwrap()
}

fn places(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.position).collect()
}

fn positions_count_the_committed_events_of_a_team(on: Engine) {
    let world = World::new(on);
    let other = elsewhere(&world, "other", "theirs");
    record(&world, &CHANGE);
    record_as(&world, &other, &CHANGE);
    let failed: Result<(), Refusal> = world.write(|tx, call| {
        events::record(tx, call, &CHANGE)?;
        directories::by_id(tx, "none").map(drop)
    });
    assert!(failed.is_err());
    let twice = world.write(|tx, call| {
        events::record(tx, call, &REFUSAL)?;
        events::record(tx, call, &CHANGE)
    });
    twice.unwrap();
    assert_eq!(places(&world.events()), [1, 2, 3]);
    assert_eq!(end(&world), 3);
    let team = other.directory.team_id.clone();
    assert_eq!(world.read(move |tx| events::last(tx, &team)).unwrap(), 1);
    assert_eq!(
        world.read(|tx| events::last(tx, "nobody's")).unwrap(),
        0,
        "no such team"
    );
}

fn the_feed_tells_what_changed_something(on: Engine) {
    let world = World::new(on);
    let other = elsewhere(&world, "acme", "second");
    for (new, told) in [
        (&CHANGE, true),
        (&REFUSAL, false),
        (&ANSWER, false),
        (&ADMIN, true),
        (&SKIPPED, false),
    ] {
        let before = end(&world);
        record(&world, new);
        let page = page(&world, Some(before), 10);
        assert_eq!(page.changes.len(), usize::from(told), "{new:?}");
        assert_eq!((page.next, page.end), (before + 1, before + 1), "{new:?}");
    }
    record_as(&world, &other, &CHANGE);
    let (team, of) = (
        world.directory.team_id.clone(),
        world.directory.id.to_owned(),
    );
    let own = world.read(move |tx| events::changes(tx, &team, Some(&of), None, 10));
    let Ok(Changes::Page(own)) = own else {
        panic!("{own:?}");
    };
    assert_eq!(places(&own.changes), [1, 4]);
    assert_eq!((own.next, own.end), (6, 6));
}

fn a_page_is_bounded_in_changes_in_text_and_in_what_it_passes_over(on: Engine) {
    let world = World::new(on);
    let large = |tx: &mut Tx<'_>, call: &Call| {
        let text = format!("[{:?}]", "x".repeat(100_000));
        let new = New {
            changes: Some(&text),
            ..CHANGE
        };
        events::record(tx, call, &new)
    };
    for _ in 0..5 {
        world.write(large).unwrap();
    }
    let three = page(&world, None, 10);
    assert_eq!((places(&three.changes), three.next), (vec![1, 2, 3], 3));
    assert_eq!(page(&world, Some(3), 10).next, 5);
    let two = page(&world, None, 2);
    assert_eq!((places(&two.changes), two.next), (vec![1, 2], 2));

    let many = world.write(|tx, call| {
        for _ in 0..12_000 {
            events::record(tx, call, &REFUSAL)?;
        }
        events::record(tx, call, &CHANGE)
    });
    many.unwrap();
    let (mut place, mut reads, mut found) = (5, 0, Vec::new());
    while place < end(&world) {
        let page = page(&world, Some(place), 10);
        assert!(page.next > place);
        found.extend(places(&page.changes));
        (place, reads) = (page.next, reads + 1);
    }
    assert_eq!((found, reads), (vec![12_006], 2));
}

fn what_is_old_goes_and_followers_who_missed_it_are_told(on: Engine) {
    let world = World::new(on);
    for new in [
        &CHANGE, &REFUSAL, &SKIPPED, &CHANGE, &REFUSAL, &ANSWER, &CHANGE,
    ] {
        record(&world, new);
    }
    let at: Vec<i64> = world.events().iter().map(|event| event.at).collect();
    let left = |world: &World| places(&world.events());

    assert_eq!(prune(&world, Log::Requests, at[0], 10), 0);
    assert_eq!(prune(&world, Log::Requests, i64::MAX, 1), 1);
    assert_eq!(left(&world), [1, 3, 4, 5, 6, 7]);
    assert_eq!(prune(&world, Log::Requests, i64::MAX, 10), 1);
    assert_eq!(left(&world), [1, 3, 4, 6, 7]);
    let all = page(&world, Some(0), 10);
    assert_eq!(places(&all.changes), [1, 4, 7], "refusals are no changes");

    assert_eq!(prune(&world, Log::Audit, at[3], 10), 2);
    assert_eq!(left(&world), [4, 6, 7]);
    let lost = Changes::Lost {
        ahead: false,
        end: 7,
    };
    assert_eq!(changes(&world, Some(0), 10), lost);
    for after in [None, Some(1), Some(3)] {
        let page = page(&world, after, 10);
        assert_eq!(places(&page.changes), [4, 7], "{after:?}");
    }
    let ahead = Changes::Lost {
        ahead: true,
        end: 7,
    };
    assert_eq!(changes(&world, Some(8), 10), ahead);

    let team = world.directory.team_id.clone();
    for (position, floor) in [(5, 5), (4, 5)] {
        let team = team.clone();
        let raised = world.write(move |tx, _| events::pruned_to(tx, &team, position));
        raised.unwrap();
        assert_eq!(changes(&world, Some(floor - 1), 10), lost);
        assert_eq!(places(&page(&world, Some(floor), 10).changes), [7]);
    }
}

fn a_log_is_read_from_an_event_or_a_position(on: Engine) {
    let world = World::new(on);
    for _ in 0..4 {
        record(&world, &CHANGE);
    }
    let second = world.events()[1].id.clone();
    let at = |text: &str| Some(Place::parse(text));
    for (name, after, before, expect) in [
        ("everything", None, None, vec![4, 3, 2, 1]),
        ("after an id", at(&second), None, vec![3, 4]),
        ("after a position", at("2"), None, vec![3, 4]),
        ("after nothing", at(""), None, vec![1, 2, 3, 4]),
        ("after the end", at("9"), None, vec![]),
        ("before an id", None, at(&second), vec![1]),
        ("before a position", None, at("3"), vec![2, 1]),
    ] {
        let query = Query {
            after,
            before,
            limit: 10,
            ..Query::default()
        };
        let team = world.directory.team_id.clone();
        let found = world.read(move |tx| events::list(tx, &team, &query));
        assert_eq!(places(&found.unwrap()), expect, "{name}");
    }
    let query = Query {
        after: at("no such event"),
        ..Query::default()
    };
    let found = world.read(move |tx| events::list(tx, "acme", &query));
    assert!(matches!(found, Err(Refusal::NotFound(..))), "{found:?}");
}

fn the_log_of_all_teams_goes_back_event_by_event(on: Engine) {
    let world = World::new(on);
    let other = elsewhere(&world, "other", "theirs");
    for _ in 0..3 {
        record(&world, &CHANGE);
        record_as(&world, &other, &CHANGE);
    }
    let pages = |before: Option<Place>, after: Option<Place>| {
        let query = Query {
            before,
            after,
            limit: 4,
            ..Query::default()
        };
        world.read(move |tx| events::list_all(tx, &query))
    };
    let first = pages(None, None).unwrap();
    assert_eq!(places(&first), [3, 3, 2, 2]);
    let rest = pages(Some(Place::Event(first[3].id.clone())), None).unwrap();
    assert_eq!(places(&rest), [1, 1]);
    for (before, after) in [
        (Some(Place::Position(2)), None),
        (None, Some(Place::Position(2))),
        (None, Some(Place::Event(first[0].id.clone()))),
    ] {
        let refused = pages(before, after);
        assert!(
            matches!(refused, Err(Refusal::Invalid { .. })),
            "{refused:?}"
        );
    }
}

/// Follows a feed while others write, until it has so many changes.
async fn follow(store: Store, team: String, count: usize) -> Vec<Event> {
    let (mut place, mut seen) = (0, Vec::new());
    while seen.len() < count {
        let team = team.clone();
        let read = store.read(move |tx| events::changes(tx, &team, None, Some(place), 7));
        let read: Result<Changes, Refusal> = read.await;
        let Ok(Changes::Page(page)) = read else {
            panic!("{read:?}");
        };
        place = page.next;
        seen.extend(page.changes);
        tokio::task::yield_now().await;
    }
    seen
}

fn a_follower_misses_nothing_of_what_many_write_on_two_servers(on: Engine) {
    const WRITERS: usize = 8;
    const EACH: usize = 40;
    let world = World::new(on);
    let team = world.directory.team_id.clone();
    let second = elsewhere(&world, "acme", "second");
    let neighbour = world.neighbour();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = runtime.block_on(async {
        let writers = (0..WRITERS).map(|writer| {
            // Two directories, and writers on each server for either.
            let call = match writer % 2 {
                0 => world.call(),
                _ => second.clone(),
            };
            let store = match writer / 2 % 2 {
                0 => world.store.clone(),
                _ => neighbour.clone(),
            };
            tokio::spawn(async move {
                for n in 0..EACH {
                    let (call, id) = (call.clone(), format!("{writer}/{n}"));
                    let scope = Scope::of(&call.directory.id);
                    let work = move |tx: &mut Tx<'_>| {
                        let new = New {
                            object_id: Some(&id),
                            ..CHANGE
                        };
                        events::record(tx, &call, &new)
                    };
                    let done: Result<(), Refusal> = store.write(scope, work).await;
                    done.unwrap();
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let seen = follow(world.store.clone(), team, WRITERS * EACH).await;
        for writer in writers {
            writer.await.unwrap();
        }
        seen
    });
    let count = i64::try_from(WRITERS * EACH).unwrap();
    assert_eq!(places(&seen), (1..=count).collect::<Vec<_>>());
    for writer in 0..WRITERS {
        let own = seen.iter().filter_map(|event| {
            let (by, n) = event.object_id.as_deref()?.split_once('/')?;
            (by == writer.to_string()).then(|| n.parse::<usize>().unwrap())
        });
        let own: Vec<_> = own.collect();
        assert_eq!(own, (0..EACH).collect::<Vec<_>>(), "writer {writer}");
    }
}

/// What happens while somebody follows.
#[derive(Debug, Clone)]
enum Step {
    Record(&'static New<'static>),
    /// Read a page of so many.
    Read(usize),
    /// The follower comes again from a place it has been at.
    Resume(prop::sample::Index),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Record(&CHANGE)),
        1 => Just(Step::Record(&REFUSAL)),
        1 => Just(Step::Record(&ANSWER)),
        1 => Just(Step::Record(&ADMIN)),
        4 => (1..4_usize).prop_map(Step::Read),
        1 => any::<prop::sample::Index>().prop_map(Step::Resume),
        1 => Just(Step::Restart),
    ]
}

/// Wherever a follower goes on, and however large its pages: it is told exactly the changes after that place, once
/// each and in order.
fn a_feed_is_resumed_anywhere(on: Engine) {
    proptest!(on.cases(40), |(steps in vec(step(), 1..40))| {
        let mut world = World::new(on);
        // Each place the follower has been at, and what it had been told by then.
        let mut been = vec![(0, Vec::new())];
        for step in steps {
            let (place, mut told) = been[been.len() - 1].clone();
            match step {
                Step::Record(new) => record(&world, new),
                Step::Restart => world.reopen(),
                Step::Resume(to) => been.push(to.get(&been).clone()),
                Step::Read(limit) => {
                    let page = page(&world, Some(place), limit);
                    prop_assert!(page.changes.len() <= limit);
                    told.extend(places(&page.changes));
                    been.push((page.next, told.clone()));
                }
            }
            let all: Vec<i64> = world
                .events()
                .iter()
                .filter(|event| event.outcome == "ok" && event.action != "answer")
                .map(|event| event.position)
                .collect();
            for (place, told) in &been {
                let mut whole = told.clone();
                whole.extend(places(&page(&world, Some(*place), usize::MAX).changes));
                prop_assert_eq!(&whole, &all, "resumed after {}", place);
            }
        }
    });
}
