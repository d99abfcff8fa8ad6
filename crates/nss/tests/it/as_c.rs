//! Answers as C reads them.
#![expect(unsafe_code, reason = "that is by pointers")]

use std::ffi::{CStr, c_char};

/// A text of an answer. The buffer that it is in must still be there.
pub(crate) fn text(text: *mut c_char) -> String {
    // SAFETY: the buffer is there, and every text that is put in one ends with a 0.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

/// A list of texts of an answer, up to the null that ends it.
pub(crate) fn list(mut list: *mut *mut c_char) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        // SAFETY: a list ends with a null, behind which nothing is read.
        let next = unsafe { list.read() };
        if next.is_null() {
            return texts;
        }
        texts.push(text(next));
        // SAFETY: this was not the null, so that there is more.
        list = unsafe { list.add(1) };
    }
}
