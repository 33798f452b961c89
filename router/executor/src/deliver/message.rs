//! The JSON of a part.
use bytes::Bytes;
use serde::Serialize;

use super::Format;
use crate::errors::Segment;

/// A deferred fragment that the client is told of.
pub(super) struct Told<'a> {
    pub(super) id: u32,
    pub(super) path: &'a [Segment],
    pub(super) label: Option<&'a str>,
}

/// A message in the making.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// `"data":…` and its errors, in the first.
    data: Vec<u8>,
    pending: Vec<u8>,
    incremental: Vec<u8>,
    completed: Vec<u8>,
    /// A fragment of this message.
    last: Option<u32>,
    /// `,"errors":[…]` that belong nowhere.
    rest: Vec<u8>,
}

impl Message {
    pub(super) fn is_empty(&self) -> bool {
        let all = [
            &self.data,
            &self.pending,
            &self.incremental,
            &self.completed,
            &self.rest,
        ];
        all.into_iter().all(Vec::is_empty)
    }

    pub(super) fn len(&self) -> usize {
        self.data.len() + self.incremental.len() + self.completed.len()
    }

    /// The first answer; `errors` is `,"errors":[…]` or nothing, as below.
    pub(super) fn data(&mut self, data: Option<Bytes>, errors: Vec<u8>) {
        self.data.extend_from_slice(b"\"data\":");
        self.data.extend_from_slice(data.as_deref().unwrap_or(b"null"));
        self.data.extend_from_slice(&errors);
    }

    /// Fragments that will come.
    pub(super) fn pending<'a>(&mut self, announced: impl IntoIterator<Item = Told<'a>>) {
        for Told { id, path, label } in announced {
            let out = begin(&mut self.pending);
            out.extend_from_slice(format!("{{\"id\":\"{id}\",\"path\":").as_bytes());
            write(out, path);
            write_label(out, label);
            out.push(b'}');
        }
    }

    /// Fields of an object below that of a fragment.
    pub(super) fn object(&mut self, id: u32, below: &[Segment], data: &[u8], errors: Vec<u8>) {
        let out = begin(&mut self.incremental);
        out.extend_from_slice(format!("{{\"id\":\"{id}\"").as_bytes());
        if !below.is_empty() {
            out.extend_from_slice(b",\"subPath\":");
            write(out, below);
        }
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data);
        out.extend_from_slice(&errors);
        out.push(b'}');
    }

    /// Further items of a list.
    pub(super) fn items(&mut self, id: u32, items: &[u8], errors: Vec<u8>) {
        let out = begin(&mut self.incremental);
        out.extend_from_slice(format!("{{\"id\":\"{id}\",\"items\":").as_bytes());
        out.extend_from_slice(items);
        out.extend_from_slice(&errors);
        out.push(b'}');
    }

    /// A fragment that is complete; with errors, there is nothing of it.
    pub(super) fn completed(&mut self, id: u32, errors: &[u8]) {
        let out = begin(&mut self.completed);
        out.extend_from_slice(format!("{{\"id\":\"{id}\"").as_bytes());
        out.extend_from_slice(errors);
        out.push(b'}');
        self.last = Some(id);
    }

    /// A whole fragment at an object.
    pub(super) fn fragment(
        &mut self,
        label: Option<&str>,
        path: &[Segment],
        data: Option<&[u8]>,
        errors: Vec<u8>,
    ) {
        let out = begin(&mut self.incremental);
        out.extend_from_slice(b"{\"data\":");
        out.extend_from_slice(data.unwrap_or(b"null"));
        out.extend_from_slice(b",\"path\":");
        write(out, path);
        write_label(out, label);
        out.extend_from_slice(&errors);
        out.push(b'}');
    }

    /// The items of a list from the `first` on.
    pub(super) fn rest_of_list(
        &mut self,
        label: Option<&str>,
        (path, first): (&[Segment], usize),
        items: Option<&[u8]>,
        errors: Vec<u8>,
    ) {
        let out = begin(&mut self.incremental);
        out.extend_from_slice(b"{\"items\":");
        out.extend_from_slice(items.unwrap_or(b"null"));
        out.extend_from_slice(b",\"path\":");
        write(out, &[path, &[Segment::Index(first)]].concat());
        write_label(out, label);
        out.extend_from_slice(&errors);
        out.push(b'}');
    }

    /// What is left to be told with the last message.
    pub(super) fn rest(&mut self, errors: Vec<u8>, format: Format) {
        match (errors.is_empty(), format, self.last) {
            (true, ..) => {}
            (false, Format::Pending, Some(id)) => self.object(id, &[], b"{}", errors),
            _ => self.rest = errors,
        }
    }

    pub(super) fn finish(self, has_next: bool) -> Bytes {
        let mut out = vec![b'{'];
        out.extend_from_slice(&self.data);
        for (name, list) in [
            ("pending", &self.pending),
            ("incremental", &self.incremental),
            ("completed", &self.completed),
        ] {
            if !list.is_empty() {
                separate(&mut out);
                out.extend_from_slice(format!("\"{name}\":[").as_bytes());
                out.extend_from_slice(list);
                out.push(b']');
            }
        }
        // A last message says what is complete, or comes with a fragment: so something is before it.
        out.extend_from_slice(&self.rest);
        separate(&mut out);
        out.extend_from_slice(format!("\"hasNext\":{has_next}}}").as_bytes());
        out.into()
    }
}

fn separate(out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
}

/// The next item of a list.
fn begin(list: &mut Vec<u8>) -> &mut Vec<u8> {
    if !list.is_empty() {
        list.push(b',');
    }
    list
}

fn write(out: &mut Vec<u8>, what: &(impl Serialize + ?Sized)) {
    out.append(&mut serde_json::to_vec(what).expect("texts and numbers are always JSON"));
}

fn write_label(out: &mut Vec<u8>, label: Option<&str>) {
    if let Some(label) = label {
        out.extend_from_slice(b",\"label\":");
        write(out, label);
    }
}
