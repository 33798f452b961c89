//! Reads what is sent to a trace collector, by the wire format alone
//! (<https://protobuf.dev/programming-guides/encoding/>) and the field numbers of OpenTelemetry's `trace.proto`: nothing here
//! is shared with whoever wrote it.
use anyhow::{Context, Result, bail};

/// A span, as far as tests look.
#[derive(Debug, Clone)]
pub struct Span {
    /// `service.name` of the process part it comes from.
    pub service: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub name: String,
    pub start: u64,
    pub end: u64,
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The spans of an `ExportTraceServiceRequest`.
pub fn spans(body: &[u8]) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for resource_spans in messages(body, 1)? {
        let resource = messages(resource_spans, 1)?.pop().context("a resource")?;
        let service = attribute(resource, "service.name")?.context("a service name")?;
        for scope_spans in messages(resource_spans, 2)? {
            for span in messages(scope_spans, 2)? {
                spans.push(read(span, &service)?);
            }
        }
    }
    Ok(spans)
}

fn read(span: &[u8], service: &str) -> Result<Span> {
    let bytes = |number| Ok::<_, anyhow::Error>(messages(span, number)?.pop().unwrap_or_default());
    let time = |number| {
        fields(span)?
            .into_iter()
            .find_map(|(found, field)| match field {
                Field::Number(value) if found == number => Some(value),
                _ => None,
            })
            .context("a time")
    };
    Ok(Span {
        service: service.to_owned(),
        trace: hex(bytes(1)?),
        id: hex(bytes(2)?),
        parent: hex(bytes(4)?),
        name: String::from_utf8(bytes(5)?.to_vec())?,
        start: time(7)?,
        end: time(8)?,
    })
}

/// The text of an attribute among the `KeyValue`s in field 1.
fn attribute(message: &[u8], name: &str) -> Result<Option<String>> {
    for pair in messages(message, 1)? {
        let key = messages(pair, 1)?.pop().unwrap_or_default();
        if key == name.as_bytes() {
            let value = messages(pair, 2)?.pop().context("a value")?;
            let text = messages(value, 1)?.pop().context("a text")?;
            return Ok(Some(String::from_utf8(text.to_vec())?));
        }
    }
    Ok(None)
}

/// What field `number` holds, each time it is there.
fn messages(message: &[u8], number: u64) -> Result<Vec<&[u8]>> {
    let found = fields(message)?.into_iter();
    Ok(found
        .filter_map(|(found, field)| match field {
            Field::Bytes(bytes) if found == number => Some(bytes),
            _ => None,
        })
        .collect())
}

fn fields(mut rest: &[u8]) -> Result<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut rest)?),
            1 => Field::Number(u64::from_le_bytes(take(&mut rest, 8)?.try_into()?)),
            2 => {
                let length = usize::try_from(varint(&mut rest)?)?;
                Field::Bytes(take(&mut rest, length)?)
            }
            5 => Field::Number(u32::from_le_bytes(take(&mut rest, 4)?.try_into()?).into()),
            other => bail!("wire type {other}"),
        };
        fields.push((tag >> 3, field));
    }
    Ok(fields)
}

fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a number of more than ten bytes")
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count).context("the message ends early")?;
    *rest = left;
    Ok(taken)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
