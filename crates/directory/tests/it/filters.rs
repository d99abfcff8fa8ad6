//! Lists: what the indexes answer is what the evaluator answers, and every way of paging sees the same order.

use crate::engine::{Engine, on_each_engine};
use crate::world::{World, query};
use portreeve_directory::directories::GroupRemoval;
use portreeve_directory::list::{Groups, Kind, Users, is_lookup};
use portreeve_scim::Filter;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

on_each_engine! {
    indexes_and_evaluator_agree_on_generated_filters
    indexes_and_evaluator_agree_on_groups_and_memberships
    indexes_and_evaluator_agree_on_groups_that_are_kept_out_of_sight
    a_lookup_is_a_key_and_what_is_exact_beside_it
    every_way_of_paging_sees_the_same_order
    sorting_follows_values_and_puts_those_without_last
    a_walk_by_cursor_neither_repeats_nor_misses_when_people_come_and_go
    counts_and_places_beyond_the_end
}

const URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// People in whom every indexed attribute is sometimes absent, shared, or different in letter case only.
fn people(world: &World) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for i in 0..24 {
        let mut body = json!({"userName": format!("User{i}"), "active": i % 5 != 0});
        let map = body.as_object_mut().unwrap();
        if i % 3 != 0 {
            map.insert("externalId".into(), json!(format!("e{}", i % 4)));
        }
        if i % 4 != 0 {
            map.insert(
                "displayName".into(),
                json!(["Ann", "ANN", "Bob", "Çelik"][i % 4]),
            );
        }
        if i % 2 == 0 {
            map.insert("emails".into(), json!([{"type": "work", "value": format!("Mail{}@x.example", i % 6)}, {"type": "home", "value": format!("h{i}@x.example")}]));
        }
        if let Some(manager) = ids.first().filter(|_| i % 7 == 0) {
            map.insert(
                URN.into(),
                json!({"manager": {"value": manager}, "department": "R&D"}),
            );
        }
        ids.push(world.user(body).id);
    }
    let inner = world.group("Inner", &[&ids[1], &ids[2]]);
    world.group("Outer", &[&inner.id, &ids[3]]);
    ids
}

fn leaf(ids: Vec<String>) -> impl Strategy<Value = String> {
    let times = [
        "2023-11-14T22:13:20.010Z",
        "2023-11-14T23:13:20.02+01:00",
        "1999-01-01T00:00:00Z",
    ];
    let op = prop_oneof![Just("eq"), Just("ne")];
    let order = prop_oneof![
        Just("eq"),
        Just("ne"),
        Just("gt"),
        Just("ge"),
        Just("lt"),
        Just("le")
    ];
    prop_oneof![
        (op.clone(), 0..26usize).prop_map(|(op, i)| format!("userName {op} \"uSER{i}\"")),
        (op.clone(), 0..5usize).prop_map(|(op, i)| format!("externalId {op} \"e{i}\"")),
        (
            op.clone(),
            prop_oneof![Just("ann"), Just("bob"), Just("ÇELIK"), Just("x")]
        )
            .prop_map(|(op, v)| format!("displayName {op} \"{v}\"")),
        (op.clone(), 0..24usize).prop_map(move |(op, i)| format!("id {op} \"{}\"", ids[i])),
        (
            op.clone(),
            0..7usize,
            prop_oneof![Just("emails"), Just("emails.value")]
        )
            .prop_map(|(op, i, path)| format!("{path} {op} \"mail{i}@X.example\"")),
        (0..7usize, prop_oneof![Just("work"), Just("home")]).prop_map(|(i, kind)| format!(
            "emails[type eq \"{kind}\" and value eq \"mail{i}@x.example\"]"
        )),
        (op, any::<bool>()).prop_map(|(op, value)| format!("active {op} {value}")),
        (
            order,
            0..3usize,
            prop_oneof![Just("created"), Just("lastModified")]
        )
            .prop_map(move |(op, i, name)| format!("meta.{name} {op} \"{}\"", times[i])),
        prop_oneof![
            Just("externalId"),
            Just("displayName"),
            Just("emails"),
            Just("groups"),
            Just("userName"),
            Just("nickName")
        ]
        .prop_map(|path| format!("{path} pr")),
        prop_oneof![
            Just("userName co \"1\""),
            Just("displayName sw \"a\""),
            Just(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"r&d\""
            ),
            Just("groups.display eq \"Outer\"")
        ]
        .prop_map(str::to_owned),
    ]
}

fn filter(ids: Vec<String>) -> impl Strategy<Value = String> {
    leaf(ids).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|f| format!("not ({f})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) or ({b})")),
        ]
    })
}

/// Ids of those whom the evaluator takes, in order of ids.
fn evaluated<K: Kind + 'static>(world: &World, text: &str) -> Vec<String> {
    let parsed = Filter::parse(text).unwrap();
    let of = K::of(&world.directory.catalog);
    let checked = parsed.check(of, world.directory.profile).unwrap();
    let mut items = world
        .page::<K>(query(&[("count", "1000")]), None)
        .unwrap()
        .items;
    let directory = world.directory.clone();
    let maps: Vec<Map<String, Value>> = {
        let filter = parsed.clone();
        let all = std::sync::Mutex::new(std::mem::take(&mut items));
        world
            .read(move |tx| K::maps(tx, &directory, Some(&filter), &mut all.lock().unwrap()))
            .unwrap()
    };
    maps.iter()
        .filter(|map| checked.matches(map))
        .map(|map| map["id"].as_str().unwrap().to_owned())
        .collect()
}

fn listed<K: Kind + 'static>(world: &World, text: &str) -> Vec<String> {
    let page = world
        .page::<K>(query(&[("filter", text), ("count", "1000")]), None)
        .unwrap();
    assert_eq!(page.total, Some(page.items.len() as i64), "{text}");
    page.items
        .iter()
        .map(|item| K::id(item).to_owned())
        .collect()
}

fn indexes_and_evaluator_agree_on_generated_filters(on: Engine) {
    let world = World::new(on);
    let ids = people(&world);
    let mut runner = proptest::test_runner::TestRunner::new(on.cases(400));
    runner
        .run(&filter(ids), |text| {
            prop_assert_eq!(
                listed::<Users>(&world, &text),
                evaluated::<Users>(&world, &text),
                "{}",
                text
            );
            Ok(())
        })
        .unwrap();
}

fn indexes_and_evaluator_agree_on_groups_and_memberships(on: Engine) {
    let world = World::new(on);
    let ids = people(&world);
    let groups = world.page::<Groups>(query(&[]), None).unwrap().items;
    let inner = groups
        .iter()
        .find(|g| g.display_name == "Inner")
        .unwrap()
        .id
        .clone();
    for text in [
        format!("members eq \"{}\"", ids[1]),
        format!("members.value eq \"{inner}\""),
        format!("members[value eq \"{}\"]", ids[3]),
        format!("members[value eq \"{}\" and type eq \"Group\"]", ids[3]),
        format!("not (members eq \"{}\")", ids[1]),
        format!("id eq \"{inner}\" and members eq \"{}\"", ids[2]),
        "members[type eq \"group\"]".into(),
        "displayName eq \"OUTER\"".into(),
    ] {
        assert_eq!(
            listed::<Groups>(&world, &text),
            evaluated::<Groups>(&world, &text),
            "{text}"
        );
    }
    let outer = groups
        .iter()
        .find(|g| g.display_name == "Outer")
        .unwrap()
        .id
        .clone();
    for text in [
        format!("groups eq \"{outer}\""),
        format!("groups.value eq \"{inner}\""),
        format!("groups[value eq \"{outer}\" and type eq \"indirect\"]"),
        format!("{URN}:manager eq \"{}\"", ids[0]),
        format!(
            "id eq \"{}\" and {URN}:manager.value eq \"{}\"",
            ids[7], ids[0]
        ),
    ] {
        let found = listed::<Users>(&world, &text);
        assert_eq!(found, evaluated::<Users>(&world, &text), "{text}");
        assert!(!found.is_empty(), "{text}");
    }
}

fn indexes_and_evaluator_agree_on_groups_that_are_kept_out_of_sight(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let ids = people(&world);
    let inner = world.group("In", &[&ids[4]]).id;
    let kept = world.group("Kept", &[&inner, &ids[5]]).id;
    let outer = world.group("Out", &[&kept, &ids[6]]).id;
    let both_ways = |text: &str| {
        let found = listed::<Users>(&world, text);
        assert_eq!(found, evaluated::<Users>(&world, text), "{text}");
        found
    };
    let in_outer = format!("groups eq \"{outer}\"");
    assert_eq!(both_ways(&in_outer), ids[4..7], "before");
    world.delete_group(&kept).unwrap();
    for (text, expect) in [
        (in_outer, &ids[6..7]),
        (format!("groups eq \"{inner}\""), &ids[4..5]),
        (format!("groups.value eq \"{kept}\""), &[]),
        (
            format!("not (groups.value eq \"{kept}\") and id eq \"{}\"", ids[5]),
            &ids[5..6],
        ),
        ("groups.display eq \"Kept\"".into(), &[]),
    ] {
        assert_eq!(both_ways(&text), expect, "{text}");
    }
    for (text, expect) in [
        (format!("members eq \"{kept}\""), vec![]),
        (format!("members eq \"{inner}\""), vec![]),
        (format!("members eq \"{}\"", ids[5]), vec![]),
        (format!("members.value eq \"{}\"", ids[6]), vec![outer]),
        (
            format!("displayName eq \"in\" and not (members eq \"{kept}\")"),
            vec![inner],
        ),
    ] {
        let found = listed::<Groups>(&world, &text);
        assert_eq!(found, evaluated::<Groups>(&world, &text), "{text}");
        assert_eq!(found, expect, "{text}");
    }
}

/// Filters, and whether each is a look-up of users, of groups, and of groups whose names are not unique.
const LOOKUPS: &[(&str, bool, bool, bool)] = &[
    ("userName eq \"a\"", true, false, false),
    ("USERNAME eq \"a\"", true, false, false),
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"a\"",
        true,
        false,
        false,
    ),
    ("id eq \"a\"", true, true, true),
    ("externalId eq \"a\"", true, true, true),
    ("emails eq \"a\"", true, false, false),
    ("emails.value eq \"a\"", true, false, false),
    ("displayName eq \"a\"", false, true, false),
    ("userName eq \"a\" and active eq true", true, false, false),
    (
        "id eq \"a\" and (displayName pr and externalId pr)",
        true,
        true,
        true,
    ),
    (
        "(active eq true and userName eq \"a\") and id pr",
        true,
        false,
        false,
    ),
    ("userName eq \"a\" and title eq \"x\"", false, false, false),
    ("id eq \"a\" and groups eq \"x\"", false, false, false),
    ("id eq \"a\" and members eq \"x\"", false, false, false),
    (
        "userName eq \"a\" or userName eq \"b\"",
        false,
        false,
        false,
    ),
    ("not (userName eq \"a\")", false, false, false),
    ("userName ne \"a\"", false, false, false),
    ("userName sw \"a\"", false, false, false),
    ("externalId eq 5", false, false, false),
    (
        "emails[type eq \"work\" and value eq \"a\"]",
        false,
        false,
        false,
    ),
    ("manager eq \"a\"", false, false, false),
    ("active eq true", false, false, false),
    (
        "meta.created gt \"2020-01-01T00:00:00Z\"",
        false,
        false,
        false,
    ),
];

fn a_lookup_is_a_key_and_what_is_exact_beside_it(on: Engine) {
    let unique = World::new(on);
    let loose = World::with(on, |settings| settings.unique_group_names = false);
    for &(text, user, group, group_of_many) in LOOKUPS {
        let asked = query(&[("filter", text)]);
        let found = [
            is_lookup::<Users>(&unique.directory, &asked),
            is_lookup::<Groups>(&unique.directory, &asked),
            is_lookup::<Groups>(&loose.directory, &asked),
        ];
        assert_eq!(found, [user, group, group_of_many], "{text}");
        let sorted = query(&[("filter", text), ("sortBy", "id")]);
        assert!(!is_lookup::<Users>(&unique.directory, &sorted), "{text}");
    }
    assert!(!is_lookup::<Users>(&unique.directory, &query(&[])));
}

fn every_way_of_paging_sees_the_same_order(on: Engine) {
    let world = World::new(on);
    people(&world);
    for sort in [
        "id",
        "userName",
        "displayName",
        "externalId",
        "meta.created",
        "meta.lastModified",
    ] {
        for direction in ["ascending", "descending"] {
            for filter in ["active pr", "userName co \"1\""] {
                let base = [
                    ("sortBy", sort),
                    ("sortOrder", direction),
                    ("filter", filter),
                ];
                let ids = |items: Vec<portreeve_directory::users::User>| {
                    items.into_iter().map(|u| u.id).collect::<Vec<_>>()
                };
                let whole = ids(world
                    .page::<Users>(query(&[&base[..], &[("count", "1000")]].concat()), None)
                    .unwrap()
                    .items);
                let mut by_index = Vec::new();
                for start in (1..=whole.len()).step_by(5) {
                    let page = world
                        .page::<Users>(
                            query(
                                &[
                                    &base[..],
                                    &[("count", "5"), ("startIndex", &start.to_string())],
                                ]
                                .concat(),
                            ),
                            None,
                        )
                        .unwrap();
                    assert_eq!(page.total, Some(whole.len() as i64));
                    by_index.extend(ids(page.items));
                }
                let (mut by_cursor, mut place) = (Vec::new(), None);
                loop {
                    let page = world
                        .page::<Users>(
                            query(&[&base[..], &[("count", "5"), ("cursor", "")]].concat()),
                            place,
                        )
                        .unwrap();
                    by_cursor.extend(ids(page.items));
                    place = page.next;
                    if place.is_none() {
                        break;
                    }
                }
                assert_eq!(by_index, whole, "{sort} {direction} {filter}");
                assert_eq!(by_cursor, whole, "{sort} {direction} {filter}");
            }
        }
    }
}

fn sorting_follows_values_and_puts_those_without_last(on: Engine) {
    let world = World::new(on);
    for (name, display, family) in [
        ("u1", Some("bob"), Some("Zeta")),
        ("u2", None, Some("alpha")),
        ("u3", Some("Ann"), None),
    ] {
        world.user(
            json!({"userName": name, "displayName": display, "name": {"familyName": family}}),
        );
    }
    for (sort, order, expect) in [
        ("displayName", "ascending", ["u3", "u1", "u2"]),
        ("displayName", "descending", ["u2", "u1", "u3"]),
        ("name.familyName", "ascending", ["u2", "u1", "u3"]),
        ("name.familyName", "descending", ["u3", "u1", "u2"]),
        ("userName", "descending", ["u3", "u2", "u1"]),
    ] {
        let page = world
            .page::<Users>(query(&[("sortBy", sort), ("sortOrder", order)]), None)
            .unwrap();
        let names: Vec<_> = page
            .items
            .iter()
            .map(|u| u.parsed().unwrap().user_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, expect, "{sort} {order}");
    }
}

fn a_walk_by_cursor_neither_repeats_nor_misses_when_people_come_and_go(on: Engine) {
    let world = World::new(on);
    let ids: Vec<String> = (0..10).map(|i| world.named(&format!("u{i}")).id).collect();
    let walk = query(&[("cursor", ""), ("count", "4")]);
    let first = world.page::<Users>(walk.clone(), None).unwrap();
    world.delete_user(&ids[1]).unwrap();
    world.delete_user(&ids[3]).unwrap();
    let come = world.named("late").id;
    let second = world.page::<Users>(walk.clone(), first.next).unwrap();
    let third = world.page::<Users>(walk, second.next).unwrap();
    let seen: Vec<_> = second
        .items
        .iter()
        .chain(&third.items)
        .map(|u| u.id.clone())
        .collect();
    assert_eq!(seen[..6], ids[4..]);
    assert_eq!(seen[6..], [come]);
    assert_eq!(
        (third.total, third.next.is_none()),
        (Some(10), true),
        "the total is that of the first page"
    );
}

fn counts_and_places_beyond_the_end(on: Engine) {
    let world = World::new(on);
    (0..3).for_each(|i| drop(world.named(&format!("u{i}"))));
    for (name, pairs, items, total) in [
        ("count 0", vec![("count", "0")], 0, 3),
        ("past the end", vec![("startIndex", "7")], 0, 3),
        ("startIndex below 1", vec![("startIndex", "-2")], 3, 3),
        ("negative count", vec![("count", "-1")], 0, 3),
        ("last", vec![("startIndex", "3"), ("count", "5")], 1, 3),
    ] {
        let page = world.page::<Users>(query(&pairs), None).unwrap();
        assert_eq!(
            (page.items.len(), page.total),
            (items, Some(total)),
            "{name}"
        );
    }
}
