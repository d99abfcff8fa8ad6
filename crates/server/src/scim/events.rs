//! Security events of a directory (RFC 9967).

use portreeve_directory::directories::Directory;
use portreeve_scim::discovery::Events;

/// What ServiceProviderConfig says of events; nothing while they are off.
pub(super) fn features(_directory: &Directory) -> Option<Events> {
    None
}
