use super::*;

fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
    Entry {
        dn: "cn=somebody".to_owned(),
        attributes: attributes
            .iter()
            .map(|(name, values)| {
                let values = values.iter().map(|value| value.to_vec()).collect();
                ((*name).to_owned(), values)
            })
            .collect(),
    }
}

#[test]
fn attributes_are_read_in_the_form_people_write_them_in() {
    let guid: [u8; 16] = [
        0x5f, 0x1c, 0x9b, 0x6d, 0x2a, 0x41, 0x3e, 0x4f, 0x8a, 0x10, 0, 1, 2, 3, 4, 5,
    ];
    let sid = [
        &[1, 5, 0, 0, 0, 0, 0, 5][..],
        &[21, 0, 0, 0],
        &[0x15, 0xcd, 0x5b, 0x07],
        &[0xb1, 0x68, 0xde, 0x3a],
        &[0x01, 0, 0, 0],
        &[0xf4, 0x01, 0, 0],
    ]
    .concat();
    let cases: [(&str, &str, &[&[u8]], Value); 7] = [
        (
            "text",
            "mail",
            &[b"ada@contoso.example"],
            "ada@contoso.example".into(),
        ),
        (
            "a set, sorted",
            "mail",
            &[b"b", b"a"],
            vec!["a", "b"].into(),
        ),
        (
            "a GUID",
            "objectGUID",
            &[&guid],
            "6d9b1c5f-412a-4f3e-8a10-000102030405".into(),
        ),
        (
            "a SID",
            "objectSid",
            &[&sid],
            "S-1-5-21-123456789-987654321-1-500".into(),
        ),
        (
            "a SID that is none",
            "objectSid",
            &[&[1, 9, 255]],
            "AQn/".into(),
        ),
        ("bytes", "jpegPhoto", &[&[0xff, 0xd8]], "/9g=".into()),
        ("an option", "cn;lang-de", &[b"Ada"], "Ada".into()),
    ];
    for (name, attribute, values, expected) in cases {
        let object = object(
            Kind::User,
            "k".to_owned(),
            &entry(&[(attribute, values)]),
            None,
        );
        assert_eq!(object.attributes.get(attribute), Some(&expected), "{name}");
    }
}

#[test]
fn entra_names_stand_beside_the_directory_s_and_never_replace_them() {
    let entry = entry(&[
        ("sn", &[b"Lovelace"]),
        ("uid", &[b"ada"]),
        ("mail", &[b"ada@contoso.example"]),
        ("DisplayName", &[b"Ada"]),
        ("cn", &[b"Ada Lovelace"]),
        ("l", &[b"London"]),
        ("userPassword", &[b"{SSHA}x"]),
        ("modifyTimestamp", &[b"20261121000000Z"]),
        ("manager", &[b"cn=charles"]),
    ]);
    let object = object(
        Kind::User,
        "k".to_owned(),
        &entry,
        Some("key of Charles".to_owned()),
    );
    let expected = serde_json::json!({
        "sn": "Lovelace", "uid": "ada", "mail": "ada@contoso.example", "DisplayName": "Ada", "cn": "Ada Lovelace",
        "l": "London", "userPrincipalName": "ada@contoso.example", "surname": "Lovelace", "mailNickname": "ada",
        "city": "London", "manager": "key of Charles", "objectId": "k",
    });
    assert_eq!(Value::Object(object.attributes), expected);
}

#[test]
fn an_account_is_disabled_where_the_directory_says_so() {
    let cases: [(&str, &str, &[u8], Option<bool>); 8] = [
        ("a normal account", "userAccountControl", b"512", Some(true)),
        ("a disabled one", "userAccountControl", b"514", Some(false)),
        (
            "disabled, written as a signed number",
            "userAccountControl",
            b"-2147483134",
            Some(false),
        ),
        ("no number", "userAccountControl", b"x", None),
        ("locked in 389", "nsAccountLock", b"TRUE", Some(false)),
        ("not locked in 389", "nsAccountLock", b"false", None),
        (
            "locked in OpenLDAP for good",
            "pwdAccountLockedTime",
            b"000001010000Z",
            Some(false),
        ),
        (
            "locked in OpenLDAP for a while",
            "pwdAccountLockedTime",
            b"20261121080000Z",
            None,
        ),
    ];
    for (name, attribute, value, expected) in cases {
        let object = object(
            Kind::User,
            "k".to_owned(),
            &entry(&[(attribute, &[value])]),
            None,
        );
        let enabled = object
            .attributes
            .get("accountEnabled")
            .and_then(Value::as_bool);
        assert_eq!(enabled, expected, "{name}");
    }
}

#[test]
fn a_guid_comes_back_as_the_bytes_it_was() {
    let bytes: [u8; 16] = std::array::from_fn(|at| at as u8);
    let text = guid("objectGUID", &bytes).unwrap();
    assert_eq!(guid_bytes("OBJECTGUID", &text), Some(Some(bytes)));
    assert_eq!(guid_bytes("objectGUID", "no guid"), Some(None));
    assert_eq!(guid_bytes("entryUUID", &text), None);
}
