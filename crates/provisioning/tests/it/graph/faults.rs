//! What goes wrong on the way: repeated while it can pass, told with what to do when it cannot.

use portreeve_provisioning::source::{Error, Kind, Next, Place};
use portreeve_provisioning::target::Limits;
use portreeve_testbed::graph::Fault;
use serde_json::json;

use super::world::{World, impatient};

#[tokio::test]
async fn a_fault_that_passes_is_waited_for_as_graph_asks() {
    let cases = [
        ("throttled", Fault::Throttled(7), 2, vec![7, 7]),
        (
            "503",
            Fault::Refused(503, "serviceNotAvailable"),
            2,
            vec![0, 0],
        ),
        ("504", Fault::Refused(504, "UnknownError"), 1, vec![0]),
        (
            "500",
            Fault::Refused(500, "InternalServerError"),
            1,
            vec![0],
        ),
        ("a broken connection", Fault::HangUp, 2, vec![0, 0]),
        ("half an answer", Fault::CutOff, 1, vec![0]),
        ("no answer", Fault::Silence, 1, vec![0]),
    ];
    for (name, fault, times, pauses) in cases {
        let world = World::with(&[], impatient()).await;
        let ada = world.graph.directory(|directory| directory.add_user("ada"));
        world.graph.fail("/users/delta", times, fault);
        let (known, _) = world.everything().await;
        assert!(
            known.view().objects.contains_key(&(Kind::User, ada)),
            "{name}"
        );
        assert_eq!(world.time.pauses(), pauses, "{name}");
        let _ = world.graph.requests();
    }
}

#[tokio::test]
async fn a_fault_that_does_not_pass_says_what_to_do_about_it() {
    let cases = [
        (
            "throttled for long",
            Fault::Throttled(600),
            "unavailable 600",
        ),
        ("throttled too often", Fault::Throttled(1), "unavailable 1"),
        ("broken for long", Fault::HangUp, "unavailable"),
        ("silent for long", Fault::Silence, "unavailable"),
        (
            "forbidden",
            Fault::Refused(403, "Authorization_RequestDenied"),
            "credentials: User.Read.All",
        ),
        ("a page of a proxy", Fault::NotJson, "unusable: Wi-Fi"),
        (
            "a request that is refused",
            Fault::Refused(400, "BadRequest"),
            "unusable: BadRequest",
        ),
        (
            "links to somebody else",
            Fault::ForeignLinks,
            "unusable: https://graph.attacker.example",
        ),
        (
            "a link to itself",
            Fault::Circle,
            "unusable: leads to itself",
        ),
    ];
    for (name, fault, expected) in cases {
        let world = World::with(&[], impatient()).await;
        world.graph.fail("/users/delta", usize::MAX, fault);
        let error = world.source.read(&Place::Everything).await.unwrap_err();
        let (kind, part) = expected.split_once(": ").unwrap_or((expected, ""));
        let words = match &error {
            Error::Unavailable { retry_after, .. } => match retry_after {
                Some(seconds) => format!("unavailable {seconds}"),
                None => "unavailable".to_owned(),
            },
            Error::Credentials(_) => "credentials".to_owned(),
            Error::Unusable(_) => "unusable".to_owned(),
            Error::Expired(_) => "expired".to_owned(),
        };
        assert_eq!(words, kind, "{name}: {error}");
        assert!(error.to_string().contains(part), "{name}: {error}");
        let _ = world.graph.requests();
    }
}

#[tokio::test]
async fn the_token_goes_to_no_other_host_even_if_a_stored_place_says_so() {
    let world = World::new().await;
    world.graph.manner(|manner| manner.page_size = 1);
    world.graph.directory(|directory| {
        directory.add_user("ada");
        directory.add_user("eve");
    });
    let page = world.source.read(&Place::Everything).await.unwrap();
    let Next::Page(place) = page.next else {
        panic!("{page:?}");
    };
    let _ = world.graph.requests();
    let moved = place.replace(&world.graph.url(), "https://graph.attacker.example");
    assert_ne!(moved, place);
    let error = world.source.read(&Place::Page(moved)).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    assert_eq!(world.graph.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn an_attribute_that_graph_does_not_know_is_named() {
    let world = World::new().await.asking(&["departmnet"], &[]);
    let error = world.source.read(&Place::Everything).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    assert!(error.to_string().contains("'departmnet'"), "{error}");
}

#[tokio::test]
async fn an_application_that_is_not_there_is_named() {
    let more = [("service_principal", json!("the-client-id"))];
    let world = World::with(&more, Limits::default()).await;
    let error = world.read(&Place::Everything).await.unwrap_err();
    assert!(
        error.to_string().contains("object id the-client-id"),
        "{error}"
    );
    assert!(world.source.check().await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_taken_in() {
    let limits = Limits {
        largest_answer: 2_000,
        ..Limits::default()
    };
    let world = World::with(&[], limits).await;
    world.graph.directory(|directory| {
        for number in 0..50 {
            directory.add_user(&format!("user{number}"));
        }
    });
    let error = world.source.read(&Place::Everything).await.unwrap_err();
    assert!(
        error.to_string().contains("more than 2000 bytes"),
        "{error}"
    );
}
