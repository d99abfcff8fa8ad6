//! What a server's refusals and a broken connection mean for the person who set the source up.

use ldap3::{LdapError, LdapResult};

use crate::source::Error;

/// A result other than success (RFC 4511 appendix A).
pub(super) fn refused(result: &LdapResult, doing: &str) -> Error {
    let said = if result.text.is_empty() {
        String::new()
    } else {
        format!(" (the server says: {})", result.text)
    };
    let unusable = |remedy: &str| Error::Unusable(format!("{doing}: {remedy}{said}"));
    match result.rc {
        3 | 51 | 52 | 80 => Error::Unavailable {
            reason: format!(
                "{doing}: the server has too much to do or failed, code {}{said}",
                result.rc
            ),
            retry_after: None,
        },
        4 | 11 => unusable(
            "the server does not give out as many entries as there are; raise its limit for this reader \
             (olcLimits size.prtotal=unlimited in OpenLDAP)",
        ),
        8 | 13 => {
            unusable("the server wants an encrypted connection; use ldaps:// or start_tls = true")
        }
        10 => unusable(
            "the server refers to another one, and referrals are not followed; set base to what this server holds itself",
        ),
        12 => unusable("the server lacks a control that is needed; look into its configuration"),
        32 => unusable(
            "there is no such entry, or this reader may not see it; correct base, user_base and group_base",
        ),
        48 | 49 => Error::Credentials(format!(
            "{doing}: bind_dn or password is wrong, or the account is locked or expired{said}"
        )),
        50 => Error::Credentials(format!(
            "{doing}: the reader may not do that; give it the right to read the base{said}"
        )),
        code => unusable(&format!("the server refuses with code {code}")),
    }
}

/// A connection that cannot be made or broke.
pub(super) fn broken(cause: &LdapError, doing: &str) -> Error {
    match cause {
        LdapError::LdapResult { result } => refused(result, doing),
        LdapError::FilterParsing => Error::Unusable(format!(
            "{doing}: the filter cannot be understood; look at its brackets"
        )),
        LdapError::UrlParsing { .. } | LdapError::UnknownScheme(_) => Error::Unusable(format!(
            "{doing}: {cause}; write ldaps://host or ldap://host"
        )),
        _ => {
            let cause = cause.to_string();
            if cause.contains("certificate") || cause.contains("CertificateRequired") {
                return Error::Unusable(format!(
                    "{doing}: {cause}; name the authority in ca_file, and the host in url as in its certificate"
                ));
            }
            Error::Unavailable {
                reason: format!("{doing}: {cause}"),
                retry_after: None,
            }
        }
    }
}
