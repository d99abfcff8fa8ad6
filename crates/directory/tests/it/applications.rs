//! The state of provisioning jobs: what is remembered of objects, references, failures, cycles and records.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::applications::references::{MEMBERS, Reference, Settled, Wanted};
use portreeve_directory::applications::{
    self, Application, Kind, New, Status, cycles, escrows, links, records, references, secrets,
};
use portreeve_directory::streams::Sealed;
use portreeve_directory::{Refusal, roll};
use portreeve_store::{Param, Tx};
use std::collections::BTreeSet;

on_each_engine! {
    applications_have_names_of_their_own_in_a_team
    a_deleted_application_leaves_nothing_behind
    what_a_source_says_and_what_a_target_has_are_written_apart
    a_full_read_finds_those_it_has_not_seen
    references_are_due_as_soon_as_both_ends_have_a_resource
    a_lost_resource_takes_its_references_along
    people_are_reached_through_nested_groups_and_circles
    roles_come_by_groups_that_are_present_and_assigned
    failures_wake_when_their_time_has_come_or_cannot_be_right
    the_log_is_in_the_order_of_commits_and_pruned_from_its_beginning
    only_cycles_that_have_ended_are_pruned
}

const ID: &str = "app";

impl World {
    fn application(&self, id: &'static str, name: &'static str) -> Result<Application, Refusal> {
        self.write(move |tx, call| {
            let new = New {
                id: id.to_owned(),
                team_id: "t1".to_owned(),
                name: name.to_owned(),
                definition: "{}".to_owned(),
            };
            applications::create(tx, &new, call.at)
        })
    }

    fn does(&self, work: impl Fn(&mut Tx<'_>) -> Result<(), Refusal> + Send + 'static) {
        self.write(move |tx, _| work(tx)).unwrap();
    }

    /// Something that the source has told of.
    fn told(&self, kind: Kind, key: &'static str) {
        self.does(move |tx| {
            let link = links::Link {
                presence: links::Presence::Present,
                dirty: true,
                ..links::Link::unknown(key)
            };
            links::put(tx, ID, kind, &link)
        });
    }

    /// Gives an object a resource.
    fn linked(&self, kind: Kind, key: &'static str) {
        self.does(move |tx| {
            let settled = links::Settled {
                state: links::State::Managed,
                target_id: Some(format!("{}-{key}", kind.name())),
                exported: None,
                dirty: false,
            };
            links::settle(tx, ID, kind, key, &settled)?;
            references::linked(tx, ID, kind, &[key])
        });
    }

    fn member(&self, group: &'static str, member: &'static str, kind: Option<Kind>) {
        self.does(move |tx| references::put(tx, ID, &membership(group, member, kind)));
    }

    /// Who refers to whom of what is due.
    fn due_references(&self) -> Vec<String> {
        self.read(|tx| references::due(tx, ID, None, 100))
            .unwrap()
            .iter()
            .map(|it| format!("{} {} {}", it.source_key, it.attribute, it.other_key))
            .collect()
    }

    fn dirty(&self, kind: Kind) -> Vec<String> {
        let dirty = self.read(move |tx| links::dirty(tx, ID, kind, "", 100));
        dirty.unwrap().into_iter().map(|it| it.source_key).collect()
    }
}

fn membership(group: &str, member: &str, kind: Option<Kind>) -> Reference {
    Reference {
        kind: Kind::Group,
        source_key: group.to_owned(),
        attribute: MEMBERS.to_owned(),
        other_key: member.to_owned(),
        other_kind: kind,
        told: true,
        wanted: true,
        applied: false,
        due: false,
        seen: 0,
    }
}

fn applications_have_names_of_their_own_in_a_team(on: Engine) {
    let world = World::new(on);
    let made = world.application("a1", "Badge Office").unwrap();
    assert_eq!((made.status, made.cycle), (Status::Running, 0));
    assert_eq!(
        made.next_run_at,
        Some(made.created_at),
        "its job runs at once"
    );
    for (id, name, refused) in [
        ("a2", "BADGE OFFICE", "already used by another application"),
        ("a2", " ", "1 to 100 characters"),
        ("a2", "two\nlines", "in one line"),
    ] {
        let error = world.application(id, name).unwrap_err().to_string();
        assert!(error.contains(refused), "{name}: {error}");
    }
    world.application("a2", "Archive").unwrap();
    let found = world.read(|tx| applications::find(tx, "t1", "badge office"));
    assert_eq!(found.unwrap().id, "a1");
    let missing = world.read(|tx| applications::find(tx, "other", "a1"));
    assert!(missing.unwrap_err().to_string().contains("no application"));
    let names = world.read(|tx| applications::list(tx, "t1")).unwrap();
    let names: Vec<_> = names.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Archive", "Badge Office"]);
    world.does(|tx| applications::set_status(tx, "t1", "a1", Status::Paused, None));
    let running = world.read(applications::running).unwrap();
    assert_eq!(running.len(), 1, "{running:?}");
}

fn a_deleted_application_leaves_nothing_behind(on: Engine) {
    let world = World::new(on);
    let application = world.application(ID, "App").unwrap();
    world.told(Kind::User, "ada");
    world.member("sales", "ada", None);
    world.does(|tx| {
        secrets::put(tx, ID, "target.token", &Sealed(vec![1, 2]))?;
        secrets::put(tx, ID, "target.token", &Sealed(vec![3]))?;
        escrows::put(tx, ID, &failure("ada", "", Some(1)))?;
        cycles::begin(tx, ID, &cycle(1))?;
        records::append(tx, "t1", ID, &[record("r1", 1)])
    });
    let kept = world.read(|tx| secrets::all(tx, ID)).unwrap();
    assert_eq!(kept, [("target.token".to_owned(), Sealed(vec![3]))]);
    world.does(move |tx| applications::delete(tx, &application));
    let left = world.read(|tx| {
        let mut left = Vec::new();
        for table in [
            "links",
            "link_references",
            "escrows",
            "cycles",
            "provisioning_records",
        ] {
            let rows = tx.query(&format!("SELECT 1 FROM {table}"), &[])?;
            left.extend(rows.iter().map(|_| table));
        }
        left.extend(secrets::all(tx, ID)?.iter().map(|_| "application_secrets"));
        Ok(left)
    });
    assert_eq!(left.unwrap(), [""; 0]);
    // And a job that has not heard of it yet writes nothing any more.
    let late = world.write(|tx, _| records::append(tx, "t1", ID, &[record("r2", 2)]));
    assert!(matches!(late, Err(Refusal::NotFound(..))), "{late:?}");
}

fn what_a_source_says_and_what_a_target_has_are_written_apart(on: Engine) {
    let world = World::new(on);
    world.told(Kind::User, "ada");
    world.linked(Kind::User, "ada");
    world.told(Kind::User, "ada");
    let [ada]: [links::Link; 1] = world
        .read(|tx| links::of(tx, ID, Kind::User, &["ada", "nobody"]))
        .unwrap()
        .try_into()
        .unwrap();
    assert!(ada.dirty);
    assert_eq!(
        (ada.state, ada.target_id.as_deref()),
        (links::State::Managed, Some("user-ada"))
    );
    let owners = world.read(|tx| links::owners(tx, ID, Kind::User, &["user-ada"]));
    assert_eq!(owners.unwrap()[0].source_key, "ada");
    // Two objects are never one resource.
    world.told(Kind::User, "eda");
    let twice = world.write(|tx, _| {
        let settled = links::Settled {
            state: links::State::Managed,
            target_id: Some("user-ada".to_owned()),
            exported: None,
            dirty: false,
        };
        links::settle(tx, ID, Kind::User, "eda", &settled)
    });
    assert!(twice.is_err());
    // A group of the same key is somebody else.
    assert_eq!(world.dirty(Kind::Group), [""; 0]);
}

fn a_full_read_finds_those_it_has_not_seen(on: Engine) {
    let world = World::new(on);
    for key in ["a", "b", "c"] {
        world.told(Kind::User, key);
        world.member("sales", key, Some(Kind::User));
    }
    world.does(|tx| {
        links::see(tx, ID, Kind::User, &["a", "c"], 7)?;
        references::see(tx, ID, "sales", "b", 7)
    });
    let unseen = world.read(|tx| links::unseen(tx, ID, Kind::User, "", 7, 10));
    assert_eq!(unseen.unwrap(), ["b"]);
    let first = world
        .read(|tx| references::unseen(tx, ID, None, 7, 1))
        .unwrap();
    assert_eq!(first[0].other_key, "a");
    let next = world.read(move |tx| references::unseen(tx, ID, first.first(), 7, 9));
    let next: Vec<_> = next.unwrap().into_iter().map(|it| it.other_key).collect();
    assert_eq!(next, ["c"]);
    world.does(|tx| links::vanish(tx, ID, Kind::User, &["b"]));
    let unseen = world.read(|tx| links::unseen(tx, ID, Kind::User, "", 7, 10));
    assert_eq!(unseen.unwrap(), [""; 0]);
}

fn references_are_due_as_soon_as_both_ends_have_a_resource(on: Engine) {
    let world = World::new(on);
    world.told(Kind::User, "ada");
    world.told(Kind::Group, "sales");
    world.member("sales", "ada", None);
    assert_eq!(world.due_references(), [""; 0]);
    world.linked(Kind::Group, "sales");
    assert_eq!(world.due_references(), ["sales members ada"]);
    let waits = membership("sales", "ada", None);
    world.does(move |tx| references::settle(tx, ID, &waits, Settled::Waits));
    assert_eq!(world.due_references(), [""; 0]);
    world.linked(Kind::User, "ada");
    assert_eq!(world.due_references(), ["sales members ada"]);
    // What the mappings give for a person takes the place of what they gave before, attribute by attribute.
    for (wanted, due) in [
        ("boss", vec!["ada manager boss"]),
        ("chief", vec!["ada manager chief"]),
    ] {
        world.does(move |tx| {
            let others = [("manager".to_owned(), vec![wanted.to_owned()])];
            references::want(tx, ID, Kind::User, &[wants("ada", &others)])
        });
        let of_ada: Vec<_> = world
            .due_references()
            .into_iter()
            .filter(|it| it.starts_with("ada"))
            .collect();
        assert_eq!(of_ada, due);
    }
}

fn a_lost_resource_takes_its_references_along(on: Engine) {
    let world = World::new(on);
    for key in ["ada", "bob"] {
        world.told(Kind::User, key);
        world.member("sales", key, Some(Kind::User));
    }
    world.does(|tx| {
        for key in ["ada", "bob"] {
            let reference = membership("sales", key, Some(Kind::User));
            references::settle(tx, ID, &reference, Settled::Applied(true))?;
        }
        references::lost(tx, ID, Kind::User, "ada")
    });
    let members =
        world.read(|tx| references::members(tx, ID, &[("sales", "ada"), ("sales", "bob")]));
    let applied: BTreeSet<_> = members
        .unwrap()
        .into_iter()
        .map(|it| (it.other_key, it.applied, it.wanted))
        .collect();
    let expected = [
        ("ada".to_owned(), false, true),
        ("bob".to_owned(), true, true),
    ];
    assert_eq!(applied, BTreeSet::from(expected));
}

fn people_are_reached_through_nested_groups_and_circles(on: Engine) {
    let world = World::new(on);
    for group in ["top", "middle", "low"] {
        world.told(Kind::Group, group);
    }
    let nested = |group, member, kind| {
        world.does(move |tx| {
            let reference = Reference {
                wanted: false,
                ..membership(group, member, kind)
            };
            references::put(tx, ID, &reference)
        });
    };
    nested("top", "middle", Some(Kind::Group));
    nested("middle", "low", None);
    nested("middle", "a", Some(Kind::User));
    nested("low", "b", None);
    nested("low", "top", Some(Kind::Group));
    let expand = |world: &World, group: &'static str| -> BTreeSet<String> {
        let moved = world.write(move |tx, _| references::expand(tx, ID, group));
        moved.unwrap().into_iter().collect()
    };
    let people = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    for group in ["top", "middle", "low"] {
        assert_eq!(expand(&world, group), people(&["a", "b"]), "{group}");
        assert_eq!(expand(&world, group), people(&[]), "{group} again");
    }
    // Who is told of below is marked above.
    world.does(|tx| {
        let mut low = links::of(tx, ID, Kind::Group, &["low"])?;
        low[0].stale = true;
        links::put(tx, ID, Kind::Group, &low[0])?;
        references::remove(tx, ID, &membership("low", "b", None))?;
        links::stale_above(tx, ID)
    });
    let stale = world.read(|tx| links::stale(tx, ID, 10)).unwrap();
    let stale: Vec<_> = stale.into_iter().map(|(group, _)| group).collect();
    assert_eq!(stale, ["low", "middle", "top"]);
    for group in ["middle", "top"] {
        assert_eq!(expand(&world, group), people(&["b"]), "{group}");
    }
}

fn roles_come_by_groups_that_are_present_and_assigned(on: Engine) {
    let world = World::new(on);
    for (group, presence, roles) in [
        ("in", links::Presence::Present, Some(r#"["admin"]"#)),
        ("gone", links::Presence::Gone, Some(r#"["gone"]"#)),
        ("free", links::Presence::Present, None),
    ] {
        world.does(move |tx| {
            let link = links::Link {
                presence,
                roles: roles.map(str::to_owned),
                ..links::Link::unknown(group)
            };
            links::put(tx, ID, Kind::Group, &link)
        });
        world.member(group, "ada", None);
        world.member(group, "inner", Some(Kind::Group));
    }
    let roles = world.read(|tx| links::roles_by_groups(tx, ID, &["ada", "inner", "eve"]));
    assert_eq!(
        roles.unwrap(),
        [("ada".to_owned(), r#"["admin"]"#.to_owned())]
    );
    for key in ["ada", "eve"] {
        world.told(Kind::User, key);
        world.linked(Kind::User, key);
    }
    world.does(|tx| links::touch_members(tx, ID, "in"));
    assert_eq!(world.dirty(Kind::User), ["ada"]);
}

fn failures_wake_when_their_time_has_come_or_cannot_be_right(on: Engine) {
    let world = World::new(on);
    for (key, next_at) in [
        ("due", Some(100)),
        ("later", Some(101)),
        ("never", None),
        ("lost in time", Some(100_000)),
    ] {
        world.told(Kind::User, key);
        world.linked(Kind::User, key);
        world.does(move |tx| escrows::put(tx, ID, &failure(key, "", next_at)));
    }
    world.does(|tx| {
        escrows::put(tx, ID, &failure("due", "manager", Some(100)))?;
        let others = [("manager".to_owned(), vec!["boss".to_owned()])];
        references::want(tx, ID, Kind::User, &[wants("due", &others)])?;
        let waits = Reference {
            kind: Kind::User,
            attribute: "manager".to_owned(),
            ..membership("due", "boss", None)
        };
        references::settle(tx, ID, &waits, Settled::Waits)
    });
    assert_eq!(world.due_references(), [""; 0]);
    world.does(|tx| escrows::wake(tx, ID, 100, 1_000));
    assert_eq!(world.dirty(Kind::User), ["due", "lost in time"]);
    assert_eq!(world.due_references(), ["due manager boss"]);
    let counts = world.read(|tx| escrows::count(tx, ID)).unwrap();
    let counts: BTreeSet<_> = counts
        .iter()
        .map(|it| (it.of_references, it.count))
        .collect();
    assert_eq!(counts, BTreeSet::from([(false, 4), (true, 1)]));
    world.does(|tx| escrows::remove(tx, ID, Kind::User, "due", ""));
    let left = world
        .read(|tx| escrows::of(tx, ID, Kind::User, &["due"]))
        .unwrap();
    assert_eq!(left.len(), 1);
    let first = world.read(|tx| escrows::page(tx, ID, None, 2)).unwrap();
    let next = world.read(move |tx| escrows::page(tx, ID, first.last(), 9));
    let next: Vec<_> = next.unwrap().into_iter().map(|it| it.source_key).collect();
    assert_eq!(next, ["lost in time", "never"]);
}

fn the_log_is_in_the_order_of_commits_and_pruned_from_its_beginning(on: Engine) {
    let world = World::new(on);
    world.application(ID, "App").unwrap();
    world.does(|tx| records::append(tx, "t1", ID, &[record("r1", 10), record("r2", 20)]));
    world.does(|tx| records::append(tx, "t1", ID, &[record("r3", 30)]));
    let ids = |found: Vec<records::Record>| -> Vec<(i64, String)> {
        found.into_iter().map(|it| (it.position, it.id)).collect()
    };
    let all = ids(world.read(|tx| records::after(tx, ID, 0, 10)).unwrap());
    assert_eq!(all, [(1, "r1".into()), (2, "r2".into()), (3, "r3".into())]);
    let newest = ids(world
        .read(|tx| records::before(tx, ID, i64::MAX, 2))
        .unwrap());
    assert_eq!(newest, [(3, "r3".into()), (2, "r2".into())]);
    let gone = world
        .write(|tx, _| records::prune(tx, ID, 25, 100))
        .unwrap();
    assert_eq!(gone, 2);
    // Positions go on where they were, so that whoever follows misses nothing.
    world.does(|tx| records::append(tx, "t1", ID, &[record("r4", 40)]));
    let rest = ids(world.read(|tx| records::after(tx, ID, 2, 10)).unwrap());
    assert_eq!(rest, [(3, "r3".into()), (4, "r4".into())]);
}

fn only_cycles_that_have_ended_are_pruned(on: Engine) {
    let world = World::new(on);
    for number in 1..=4 {
        world.does(move |tx| {
            cycles::begin(tx, ID, &cycle(number))?;
            match number {
                2 => Ok(()),
                _ => cycles::end(tx, ID, number, number, "Succeeded", None),
            }
        });
    }
    let gone = world.write(|tx, _| cycles::prune(tx, ID, 100, 10)).unwrap();
    assert_eq!(gone, 2);
    let left = world
        .read(|tx| cycles::newest(tx, ID, i64::MAX, 10))
        .unwrap();
    let left: Vec<_> = left.iter().map(|it| (it.number, it.ended_at)).collect();
    assert_eq!(left, [(4, Some(4)), (2, None)]);
}

/// Statements that are about everything that an application has, and are run when everything begins anew or people ask.
const ABOUT_EVERYTHING: &[&str] = &[
    "ALL_STALE",
    "CLEAR",
    "COUNT",
    "COUNT_STATES",
    "FORGET_ESCROWS",
    "FORGET_LINKS",
    "FORGET_REFERENCES",
    "LOST",
    "RECONSIDER",
    "TOUCH_ALL",
    "UNLINK_ALL",
];

/// SQLite has no statistics of these tables and takes ten rows to be many. A statement that it answers by the key of the
/// application alone reads half a million references for each of a hundred thousand people.
#[test]
fn no_statement_reads_more_than_it_asks_for() {
    let world = World::new(Engine::Sqlite);
    let about = ["links", "link_references", "escrows"];
    let mut seen = 0;
    for (name, sql) in roll::statements() {
        let is_about = about.iter().any(|table| {
            sql.contains(&format!("FROM {table} ")) || sql.contains(&format!("UPDATE {table} "))
        });
        if !is_about || ABOUT_EVERYTHING.contains(&name) {
            continue;
        }
        seen += 1;
        let plan = world.read(move |tx| {
            let count = (1..20)
                .take_while(|n| sql.contains(&format!("${n}")))
                .count();
            let given = vec![Param::Null; count];
            let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &given)?;
            let lines: Result<Vec<_>, _> =
                rows.iter().map(|row| Ok(row.text(3)?.to_owned())).collect();
            lines
        });
        for step in plan.unwrap() {
            let is_partial = ["_due ", "_dirty ", "_stale "]
                .iter()
                .any(|it| step.contains(it));
            let reads_all = step.ends_with("(application_id=?)")
                || step.ends_with("(application_id=? AND kind=?)")
                || about.iter().any(|table| step == format!("SCAN {table}"));
            assert!(!reads_all || is_partial, "{name}: {step}");
        }
    }
    assert!(seen > 30, "{seen}");
}

fn wants<'a>(source_key: &'a str, others: &'a [(String, Vec<String>)]) -> Wanted<'a> {
    Wanted { source_key, others }
}

fn failure(key: &str, attribute: &str, next_at: Option<i64>) -> escrows::Escrow {
    escrows::Escrow {
        kind: Kind::User,
        source_key: key.to_owned(),
        attribute: attribute.to_owned(),
        code: "Timeout".to_owned(),
        detail: "no answer".to_owned(),
        attempts: 0,
        first_at: 1,
        next_at,
    }
}

fn cycle(number: i64) -> cycles::Cycle {
    cycles::Cycle {
        number,
        id: format!("c{number}"),
        kind: "initial".to_owned(),
        phase: "import".to_owned(),
        place: None,
        epoch: 1,
        roles_epoch: 0,
        forced: false,
        held: false,
        counters: "{}".to_owned(),
        began_at: number,
        ended_at: None,
        result: None,
        error: None,
    }
}

fn record(id: &str, at: i64) -> records::Record {
    records::Record {
        position: 0,
        id: id.to_owned(),
        cycle_id: "c1".to_owned(),
        change_id: "h1".to_owned(),
        at,
        kind: "user".to_owned(),
        action: "create".to_owned(),
        status: "success".to_owned(),
        error_code: None,
        source_key: "ada".to_owned(),
        target_id: None,
        name: "Ada".to_owned(),
        body: "{}".to_owned(),
    }
}
