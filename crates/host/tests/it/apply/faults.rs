//! What becomes of people when something goes wrong in the middle.

use portreeve_host::config::Backend;
use portreeve_host::wire::Request;
use portreeve_host_policy::{Account, Document};
use proptest::prelude::*;

use super::access::{Able, able};
use super::ground::{Ground, active, authority, code, document, left, now, shared};

/// A person with a number, who has one of two names, or has left, or was never here.
fn person(id: &'static str, uid: u32) -> impl Strategy<Value = Option<Account>> {
    let groups = prop::sample::subsequence(vec!["web", "docker"], 0..=2);
    let name = prop::sample::select(vec!["ada", "bob", "cyd"]);
    (0_u8..4, name, any::<bool>(), groups).prop_map(move |(kind, name, sudo, groups)| match kind {
        0 => None,
        1 => Some(left(id, name, uid)),
        _ => Some(active(id, name, uid, sudo, &groups)),
    })
}

fn people() -> impl Strategy<Value = (Vec<Account>, Vec<&'static str>)> {
    let people = (
        person("one", 70_001),
        person("two", 70_002),
        person("three", 70_003),
    );
    let deploy = prop::sample::subsequence(vec!["one", "two"], 0..=2);
    (people, deploy).prop_map(|((one, two, three), deploy)| {
        let mut people: Vec<Account> = [one, two, three].into_iter().flatten().collect();
        people.sort_by(|one, other| one.name.cmp(&other.name));
        (people, deploy)
    })
}

fn next(of: &Document, (accounts, deploy): (Vec<Account>, Vec<&str>)) -> Document {
    let deploy = (!deploy.is_empty()).then(|| shared("deploy", &deploy));
    Document {
        version: of.version + 1,
        accounts,
        shared: deploy.into_iter().collect(),
        ..of.clone()
    }
}

/// Whether nobody can do what neither of the two lets them do.
fn within(now: &Able, old: &Able, new: &Able) -> bool {
    now.log_in
        .iter()
        .all(|one| old.log_in.contains(one) || new.log_in.contains(one))
        && now
            .sudo
            .iter()
            .all(|one| old.sudo.contains(one) || new.sudo.contains(one))
        && now
            .groups
            .iter()
            .all(|one| old.groups.contains(one) || new.groups.contains(one))
        && now.unguarded.is_empty()
}

fn backend() -> impl Strategy<Value = Backend> {
    prop::sample::select(vec![Backend::Userdb, Backend::Nss])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whoever_is_killed_in_the_middle_lets_in_nobody_and_ends_as_if_never_killed(
        backend in backend(),
        before in people(),
        after in people(),
    ) {
        let key = authority();
        let old = next(&document(&key), before);
        let new = next(&old, after);
        // Straight away, for comparison.
        let straight = Ground::with_key(backend, key);
        prop_assert_eq!(code(straight.apply(&old)), None);
        let able_before = able(&straight, backend);
        straight.world().tried = 0;
        prop_assert_eq!(code(straight.apply(&new)), None);
        let operations = straight.world().tried;
        let able_after = able(&straight, backend);

        let (old, new) = (straight.sign(&old), straight.sign(&new));
        for survived in 0..operations {
            let ground = Ground::new(backend);
            let config = std::fs::read(straight.paths.config()).unwrap();
            std::fs::write(ground.paths.config(), config).unwrap();
            prop_assert_eq!(code(ground.ask(Request::Apply(old.clone()))), None);
            ground.world().operations = Some(survived);
            prop_assert!(code(ground.ask(Request::Apply(new.clone()))).is_some(), "it was killed");
            let meanwhile = able(&ground, backend);
            prop_assert!(
                within(&meanwhile, &able_before, &able_after),
                "after {} of {}: {:?}\nbefore: {:?}\nafter: {:?}", survived, operations, meanwhile, able_before, able_after
            );
            // The program starts again, and hears the document again unless it had kept it.
            ground.world().operations = None;
            let mut half = ground.half();
            half.start(now()).unwrap();
            let meanwhile = able(&ground, backend);
            prop_assert!(meanwhile == able_before || meanwhile == able_after, "after a start: {:?}", meanwhile);
            prop_assert_eq!(code(half.handle(Request::Apply(new.clone()), now())), None);
            let (mut tree, mut expected) = (ground.tree(), straight.tree());
            tree.retain(|path, _| !path.ends_with("revoked.krl"));
            expected.retain(|path, _| !path.ends_with("revoked.krl"));
            prop_assert_eq!(tree, expected, "after {} of {}", survived, operations);
            let ended = |ground: &Ground| -> std::collections::BTreeSet<u32> {
                ground.world().ended.iter().copied().collect()
            };
            prop_assert!(ended(&ground).is_superset(&ended(&straight)), "after {}", survived);
        }
    }

    #[test]
    fn on_a_full_disk_who_has_left_is_out_all_the_same(before in people(), after in people(), left in 0_usize..8) {
        let ground = Ground::new(Backend::Userdb);
        let old = next(&document(&ground.key), before);
        prop_assert_eq!(code(ground.apply(&old)), None);
        let able_before = able(&ground, Backend::Userdb);
        let new = next(&old, after);
        {
            let mut world = ground.world();
            (world.operations, world.only_writing) = (Some(left), true);
        }
        let refused = code(ground.apply(&new));
        let able_now = able(&ground, Backend::Userdb);
        let ended = ground.world().ended.clone();
        ground.world().operations = None;
        prop_assert_eq!(code(ground.apply(&new)), None);
        let able_after = able(&ground, Backend::Userdb);
        prop_assert!(within(&able_now, &able_before, &able_after), "{:?}", able_now);
        if refused.is_some() {
            prop_assert_eq!(refused.as_deref(), Some("disk"));
            // Nobody who is out by the new document gets in any more, and whoever was in was sent away.
            prop_assert!(able_now.log_in.is_subset(&able_after.log_in), "{:?}\n{:?}", able_now, able_after);
            prop_assert!(able_now.sudo.is_subset(&able_after.sudo));
            let left = able_before.log_in.difference(&able_after.log_in);
            let open: std::collections::BTreeSet<u32> = able_after.log_in.iter().map(|(_, _, uid)| *uid).collect();
            for (_, account, uid) in left.filter(|(_, account, uid)| account != "deploy" && !open.contains(uid)) {
                prop_assert!(ended.contains(uid), "{} was not sent away", account);
            }
        }
    }
}

#[test]
fn a_document_that_cannot_be_kept_takes_and_gives_nothing() {
    let ground = Ground::new(Backend::Userdb);
    let one = active("one", "ada", 70_001, true, &[]);
    let old = next(&document(&ground.key), (vec![one], vec![]));
    assert_eq!(code(ground.apply(&old)), None);
    let accounts = vec![
        left("one", "ada", 70_001),
        active("two", "bob", 70_002, true, &[]),
    ];
    let new = next(&old, (accounts, vec![]));
    ground.world().full = Some(ground.paths.state());
    assert_eq!(code(ground.apply(&new)).as_deref(), Some("disk"));
    assert_eq!(able(&ground, Backend::Userdb), Able::default());
    assert_eq!(ground.world().ended, [70_001]);
    assert_eq!(ground.state().applied.unwrap().version, old.version);

    // The program that starts again has only the old one, and gives nothing back by it.
    ground.half().start(now()).unwrap();
    assert_eq!(able(&ground, Backend::Userdb), Able::default());
    assert_eq!(code(ground.apply(&old)).as_deref(), Some("old"));

    ground.world().full = None;
    assert_eq!(code(ground.apply(&new)), None);
    let able = able(&ground, Backend::Userdb);
    assert_eq!(able.sudo, [70_002].into());
}
