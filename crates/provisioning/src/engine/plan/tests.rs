//! Every cell of the matrix, and what holds for all of them.

use proptest::prelude::*;

use super::*;

const ENABLED: Link = Link::Managed { disabled: false };
const DISABLED: Link = Link::Managed { disabled: true };
const LINKS: [Link; 4] = [Link::None, ENABLED, DISABLED, Link::Released];
const UNASSIGNED: Standing = Standing::OutOfScope(Outside::Unassigned);

const USERS: Rules = Rules {
    add: true,
    update: true,
    delete: true,
    skip_out_of_scope: false,
    soft: Soft::Disable,
    late_references: true,
};
const GROUPS: Rules = Rules {
    soft: Soft::Delete,
    ..USERS
};

const SKIP: Action = Action::Skip(Code::EntrySynchronizationSkipped);
const NOT_ENTITLED: Action = Action::Skip(Code::NotEffectivelyEntitled);
const DISABLE: Action = Action::Disable { release: false };
const DISABLE_AND_RELEASE: Action = Action::Disable { release: true };

/// One row: the standing, and the actions for no link, an enabled resource, a disabled one, a released one.
type Row = (Standing, [Action; 4]);

fn check(name: &str, rules: &Rules, rows: &[Row]) {
    for (standing, expected) in rows {
        for (link, action) in LINKS.into_iter().zip(expected) {
            let decided = plan(*standing, link, rules);
            assert_eq!(decided, *action, "{name}: {standing:?}, {link:?}");
        }
    }
}

#[test]
fn users_are_disabled_and_at_the_end_deleted() {
    use Action::{Create, Delete, Release, Update};
    let out = [NOT_ENTITLED, DISABLE_AND_RELEASE, Release, NOT_ENTITLED];
    let rows = [
        (Standing::InScope, [Create, Update, Update, Update]),
        (Standing::Disabled, [NOT_ENTITLED, DISABLE, Update, DISABLE]),
        (Standing::OutOfScope(Outside::Unassigned), out),
        (Standing::OutOfScope(Outside::WithoutRole), out),
        (Standing::OutOfScope(Outside::Filtered), out),
        (
            Standing::Suspended,
            [NOT_ENTITLED, DISABLE, SKIP, NOT_ENTITLED],
        ),
        (Standing::Gone, [NOT_ENTITLED, Delete, Delete, NOT_ENTITLED]),
    ];
    check("users", &USERS, &rows);
}

/// What is to become of whom a request was to make, and of whom the links were dropped while they were disabled.
#[test]
fn what_may_be_there_is_looked_for() {
    use Action::{Adopt, Create, Delete, Release, Update};
    let keep = Rules {
        soft: Soft::Keep,
        ..USERS
    };
    let no_add = Rules {
        add: false,
        ..USERS
    };
    let gone = Standing::Gone;
    let cases = [
        ("in scope", USERS, Standing::InScope, Create, Create),
        ("not to be made", no_add, Standing::InScope, Adopt, Adopt),
        ("blocked", USERS, Standing::Disabled, DISABLE, Update),
        ("out", USERS, UNASSIGNED, DISABLE_AND_RELEASE, Release),
        ("deleted", USERS, Standing::Suspended, DISABLE, Update),
        ("purged", USERS, gone, Delete, Release),
        ("group, out", GROUPS, UNASSIGNED, Delete, Release),
        ("kept, out", keep, UNASSIGNED, Release, Release),
        ("kept, blocked", keep, Standing::Disabled, Update, Update),
    ];
    for (name, rules, standing, sent, dropped) in cases {
        assert_eq!(plan(standing, Link::Sent, &rules), sent, "{name}: sent");
        let decided = plan(standing, Link::Dropped, &rules);
        assert_eq!(decided, dropped, "{name}: dropped");
        for (link, action) in [(Link::Sent, sent), (Link::Dropped, dropped)] {
            let settled = action.settled(standing, link);
            assert!(!settled.is_in_doubt(), "{name}: {settled:?}");
        }
        assert!(!dropped.takes_access(), "{name}: the guard counts it twice");
    }
}

#[test]
fn groups_are_deleted() {
    use Action::{Create, Delete, Update};
    let leaves = [NOT_ENTITLED, Delete, Delete, NOT_ENTITLED];
    let rows = [
        (Standing::InScope, [Create, Update, Update, Update]),
        (UNASSIGNED, leaves),
        (Standing::OutOfScope(Outside::Filtered), leaves),
        (Standing::Suspended, leaves),
        (Standing::Gone, leaves),
    ];
    check("groups", &GROUPS, &rows);
    // Users of a target without `active` are treated the same, and may in addition be blocked.
    let blocked = [(Standing::Disabled, [NOT_ENTITLED, Delete, Delete, Delete])];
    check("users without active", &GROUPS, &blocked);
}

#[test]
fn resources_without_active_may_be_kept() {
    use Action::{Create, Delete, Release, Update};
    let keep = Rules {
        soft: Soft::Keep,
        ..USERS
    };
    let rows = [
        (Standing::InScope, [Create, Update, Update, Update]),
        (Standing::Disabled, [NOT_ENTITLED, Update, Update, Update]),
        (UNASSIGNED, [NOT_ENTITLED, Release, Release, NOT_ENTITLED]),
        (
            Standing::Suspended,
            [NOT_ENTITLED, SKIP, SKIP, NOT_ENTITLED],
        ),
        (Standing::Gone, [NOT_ENTITLED, Delete, Delete, NOT_ENTITLED]),
    ];
    check("keep", &keep, &rows);
}

#[test]
fn out_of_scope_may_mean_left_alone() {
    for rules in [USERS, GROUPS] {
        let skipping = Rules {
            skip_out_of_scope: true,
            ..rules
        };
        let left_alone = [NOT_ENTITLED, Action::Release, Action::Release, NOT_ENTITLED];
        check("skipping", &skipping, &[(UNASSIGNED, left_alone)]);
        for standing in [
            Standing::InScope,
            Standing::Disabled,
            Standing::Suspended,
            Standing::Gone,
        ] {
            for link in LINKS {
                assert_eq!(
                    plan(standing, link, &skipping),
                    plan(standing, link, &rules)
                );
            }
        }
    }
}

#[test]
fn flow_types_switch_requests_off() {
    use Action::{Adopt, Create, Delete, Release, Update};
    let no_add = Rules {
        add: false,
        ..USERS
    };
    check(
        "no add",
        &no_add,
        &[(Standing::InScope, [Adopt, Update, Update, Update])],
    );
    let no_update = [
        (Standing::InScope, [Create, SKIP, SKIP, Adopt]),
        (Standing::Disabled, [NOT_ENTITLED, SKIP, SKIP, SKIP]),
        (UNASSIGNED, [NOT_ENTITLED, Release, Release, NOT_ENTITLED]),
        (
            Standing::Suspended,
            [NOT_ENTITLED, SKIP, SKIP, NOT_ENTITLED],
        ),
        (Standing::Gone, [NOT_ENTITLED, Delete, Delete, NOT_ENTITLED]),
    ];
    check(
        "no update",
        &Rules {
            update: false,
            ..USERS
        },
        &no_update,
    );
    let gone = [(
        Standing::Gone,
        [NOT_ENTITLED, Release, Release, NOT_ENTITLED],
    )];
    check(
        "no delete",
        &Rules {
            delete: false,
            ..USERS
        },
        &gone,
    );
    let groups = [
        (UNASSIGNED, [NOT_ENTITLED, Release, Release, NOT_ENTITLED]),
        (
            Standing::Suspended,
            [NOT_ENTITLED, SKIP, SKIP, NOT_ENTITLED],
        ),
        (
            Standing::Gone,
            [NOT_ENTITLED, Release, Release, NOT_ENTITLED],
        ),
    ];
    check(
        "groups, no delete",
        &Rules {
            delete: false,
            ..GROUPS
        },
        &groups,
    );
}

#[test]
fn the_weightiest_fact_decides() {
    const WELL: [bool; 4] = [true; 4];
    use Kind::{Group, User};
    use Presence::{Gone, Present, Suspended};
    let out = Standing::OutOfScope;
    // The truths are: assigned, has a role, passes the filters, enabled.
    let cases = [
        (User, Present, WELL, Standing::InScope),
        (User, Present, [true, true, true, false], Standing::Disabled),
        (Group, Present, [true, true, true, false], Standing::InScope),
        (
            User,
            Present,
            [true, true, false, false],
            out(Outside::Filtered),
        ),
        (
            User,
            Present,
            [true, false, false, true],
            out(Outside::WithoutRole),
        ),
        (User, Present, [false; 4], UNASSIGNED),
        (Group, Present, [false; 4], UNASSIGNED),
        (User, Suspended, WELL, Standing::Suspended),
        (User, Suspended, [false; 4], Standing::Suspended),
        (User, Gone, WELL, Standing::Gone),
        (User, Gone, [false; 4], Standing::Gone),
    ];
    for (kind, presence, [assigned, has_role, passes_filters, enabled], standing) in cases {
        let facts = Facts {
            kind,
            presence,
            assigned,
            has_role,
            passes_filters,
            enabled,
        };
        assert_eq!(facts.standing(), standing, "{facts:?}");
        let soft_deleted = standing != Standing::InScope;
        assert_eq!(standing.is_soft_deleted(), soft_deleted, "{facts:?}");
    }
}

#[test]
fn a_match_is_changed_or_linked_and_a_miss_is_made() {
    let no_update = Rules {
        update: false,
        ..USERS
    };
    let cases = [
        (Action::Create, true, USERS, Matched::Change),
        (Action::Create, true, no_update, Matched::Link),
        (Action::Create, false, USERS, Matched::Make),
        (Action::Create, false, no_update, Matched::Make),
        (Action::Adopt, true, USERS, Matched::Change),
        (Action::Adopt, true, no_update, Matched::Link),
        (
            Action::Adopt,
            false,
            USERS,
            Matched::Skip(Code::EntrySynchronizationSkipped),
        ),
    ];
    for (action, found, rules, expected) in cases {
        assert_eq!(
            action.matched(found, &rules),
            expected,
            "{action:?}, {found}"
        );
    }
}

#[test]
fn references_wait_for_what_they_refer_to() {
    use Reference::{Forget, Wait, Write};
    let unknown = Forget(Code::UnableToResolveReferenceAttributeValue);
    let cases = [
        (Link::None, Wait, unknown, Forget(Code::RedundantExport)),
        (ENABLED, Write, Write, Write),
        (DISABLED, Write, Write, Write),
        // Whoever is out of scope keeps the memberships that are there, and gets no new ones.
        (Link::Released, Wait, unknown, Write),
    ];
    let entra = Rules {
        late_references: false,
        ..USERS
    };
    for (other, ours, entras, removed) in cases {
        assert_eq!(reference(true, other, &USERS), ours, "{other:?}");
        assert_eq!(
            reference(true, other, &entra),
            entras,
            "{other:?}, as Entra"
        );
        assert_eq!(
            reference(false, other, &USERS),
            removed,
            "{other:?}, removed"
        );
        assert_eq!(
            reference(false, other, &entra),
            removed,
            "{other:?}, removed, as Entra"
        );
    }
}

pub(in crate::engine) fn action() -> impl Strategy<Value = Action> {
    (standing(), link(), rules()).prop_map(|(standing, link, rules)| plan(standing, link, &rules))
}

fn standing() -> impl Strategy<Value = Standing> {
    prop::sample::select(vec![
        Standing::InScope,
        Standing::Disabled,
        Standing::OutOfScope(Outside::Unassigned),
        Standing::OutOfScope(Outside::WithoutRole),
        Standing::OutOfScope(Outside::Filtered),
        Standing::Suspended,
        Standing::Gone,
    ])
}

fn link() -> impl Strategy<Value = Link> {
    prop::sample::select(LINKS.to_vec())
}

fn rules() -> impl Strategy<Value = Rules> {
    let soft = prop::sample::select(vec![Soft::Disable, Soft::Delete, Soft::Keep]);
    (any::<[bool; 5]>(), soft).prop_map(|([add, update, delete, skip, late], soft)| Rules {
        add,
        update,
        delete,
        skip_out_of_scope: skip,
        soft,
        late_references: late,
    })
}

proptest! {
    #[test]
    fn only_those_in_scope_are_made_or_adopted(standing in standing(), link in link(), rules in rules()) {
        let action = plan(standing, link, &rules);
        if matches!(action, Action::Create | Action::Adopt) {
            prop_assert_eq!(standing, Standing::InScope);
        }
        prop_assert!(action != Action::Create || (link == Link::None && rules.add));
    }

    #[test]
    fn what_is_released_gets_no_request_when_it_is_purged(rules in rules()) {
        prop_assert_eq!(plan(Standing::Gone, Link::Released, &rules), NOT_ENTITLED);
    }

    #[test]
    fn whoever_leaves_scope_gets_nothing_more(reason in standing(), link in link(), rules in rules()) {
        if let Standing::OutOfScope(_) = reason {
            let after = plan(reason, link, &rules).settled(reason, link);
            prop_assert!(matches!(after, Link::None | Link::Released));
            for later in [reason, Standing::Suspended, Standing::Gone] {
                prop_assert_eq!(plan(later, after, &rules), NOT_ENTITLED);
            }
        }
    }

    #[test]
    fn switched_off_requests_are_never_planned(standing in standing(), link in link(), rules in rules()) {
        let action = plan(standing, link, &rules);
        prop_assert!(rules.add || action != Action::Create);
        prop_assert!(rules.delete || action != Action::Delete);
        let changes = action == Action::Update || matches!(action, Action::Disable { .. });
        prop_assert!(rules.update || !changes);
        let spares = rules.skip_out_of_scope && matches!(standing, Standing::OutOfScope(_));
        prop_assert!(!(spares && action.takes_access()));
    }

    #[test]
    fn nobody_in_scope_loses_access(link in link(), rules in rules()) {
        prop_assert!(!plan(Standing::InScope, link, &rules).takes_access());
    }

    #[test]
    fn access_is_taken_once(standing in standing(), link in link(), rules in rules()) {
        let action = plan(standing, link, &rules);
        let settled = action.settled(standing, link);
        let again = plan(standing, settled, &rules);
        prop_assert!(!again.takes_access(), "{action:?} and then {again:?}");
        prop_assert!(again != Action::Create, "{action:?} and then {again:?}");
        prop_assert_eq!(again.settled(standing, settled), settled);
    }
}
