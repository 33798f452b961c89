//! The table.

use std::fmt::Write;
use std::fs;

use anyhow::Result;

use crate::process::Memory;
use crate::run::{CONNECTIONS, Class, Figures, Mixed, Row, RunArgs, Sized, Target};

/// Everything measured, as Markdown.
pub fn markdown(arguments: &RunArgs, sized: &[Sized], mixed: &[Mixed]) -> Result<String> {
    let mut out = format!("# The gateway's speed, {}\n\n", today());
    let RunArgs { seconds, rounds, .. } = arguments;
    writeln!(
        out,
        "Machine: {}. Load, subgraphs and servers share it. Medians of {rounds} measurements of {seconds} s each, taken in\n\
         turns; every answer was compared. Processor time is the system's own account of the process\n\
         (`/proc/…/schedstat`), all threads together. Made by `cargo xtask bench`.\n",
        machine()
    )?;
    if !sized.is_empty() {
        describe(&mut out, sized)?;
        processor_time(&mut out, sized)?;
        latencies(&mut out, sized)?;
        memory(&mut out, sized)?;
    }
    if !mixed.is_empty() {
        varied(&mut out, mixed)?;
    }
    Ok(out.trim_end().to_owned() + "\n")
}

fn describe(out: &mut String, sized: &[Sized]) -> Result<()> {
    writeln!(
        out,
        "| query | bytes of the answer | calls to subgraphs, by step |\n|---|---|---|"
    )?;
    for one in sized {
        let calls: Vec<String> = one.calls.iter().map(usize::to_string).collect();
        writeln!(
            out,
            "| {} | {} | {} |",
            one.size.name(),
            one.bytes,
            calls.join(" + ")
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn processor_time(out: &mut String, sized: &[Sized]) -> Result<()> {
    writeln!(
        out,
        "## Processor time for one request, {CONNECTIONS} connections\n\n\
         In milliseconds (± half of the range over the measurements), with requests per second in brackets.\n"
    )?;
    header(out, sized)?;
    table(out, sized, &|row| {
        let Figures {
            cpu, spread, rate, ..
        } = row.many;
        format!("{cpu:.4} ±{:.0} % ({rate:.0}/s)", spread * 50.0)
    })?;
    for class in [Class::A, Class::B] {
        for (limit, name) in [
            (Target::Calls, "the bare calls"),
            (Target::SpreadCalls, "the bare calls, one runtime"),
            (Target::Bytes, "the same bytes"),
        ] {
            let ratio = |one: &Sized| {
                let cpu = |target| row(one, target).map(|row| row.many.cpu);
                Some(format!("**{:.2}**", cpu(Target::Gateway(class))? / cpu(limit)?))
            };
            let cells: Option<Vec<String>> = sized.iter().map(ratio).collect();
            if let Some(cells) = cells {
                writeln!(out, "| {class:?} ÷ {name} | {} |", cells.join(" | "))?;
            }
        }
    }
    writeln!(out)?;
    Ok(())
}

fn latencies(out: &mut String, sized: &[Sized]) -> Result<()> {
    for connections in [1, CONNECTIONS] {
        let plural = if connections == 1 { "" } else { "s" };
        writeln!(
            out,
            "## Latency, {connections} connection{plural}\n\np50 / p95 / p99 in milliseconds.\n"
        )?;
        header(out, sized)?;
        table(out, sized, &|row| {
            let figures = if connections == 1 { row.one } else { row.many };
            let [half, most, nearly_all] = figures.latency;
            format!("{half:.3} / {most:.3} / {nearly_all:.3}")
        })?;
        writeln!(out)?;
    }
    Ok(())
}

fn memory(out: &mut String, sized: &[Sized]) -> Result<()> {
    writeln!(out, "## Memory\n\nResident MiB at the end, and at most.\n")?;
    header(out, sized)?;
    table(out, sized, &|row| mebibytes(row.memory))?;
    writeln!(out)?;
    Ok(())
}

fn varied(out: &mut String, mixed: &[Mixed]) -> Result<()> {
    writeln!(
        out,
        "## Varied traffic, {CONNECTIONS} connections, class A\n\n\
         | | bytes of an answer | ms of processor time | requests per second | p50 / p95 / p99 ms | MiB at the end, at most |\n\
         |---|---|---|---|---|---|"
    )?;
    for one in mixed {
        let Figures {
            cpu,
            spread,
            rate,
            latency,
            ..
        } = one.figures;
        let [half, most, nearly_all] = latency;
        writeln!(
            out,
            "| {} | {} | {cpu:.4} ±{:.0} % | {rate:.0} | {half:.3} / {most:.3} / {nearly_all:.3} | {} |",
            one.kind.name(),
            one.bytes,
            spread * 50.0,
            mebibytes(one.memory)
        )?;
    }
    Ok(())
}

fn header(out: &mut String, sized: &[Sized]) -> Result<()> {
    let names: Vec<&str> = sized.iter().map(|one| one.size.name()).collect();
    writeln!(
        out,
        "| | {} |\n|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    )?;
    Ok(())
}

fn table(out: &mut String, sized: &[Sized], cell: &dyn Fn(&Row) -> String) -> Result<()> {
    let targets = sized.first().map(|one| one.rows.iter().map(|row| row.target));
    for target in targets.into_iter().flatten() {
        let cells = sized.iter().filter_map(|one| row(one, target)).map(cell);
        writeln!(
            out,
            "| {} | {} |",
            label(target),
            cells.collect::<Vec<_>>().join(" | ")
        )?;
    }
    Ok(())
}

fn row(sized: &Sized, target: Target) -> Option<&Row> {
    sized.rows.iter().find(|row| row.target == target)
}

fn label(target: Target) -> &'static str {
    match target {
        Target::Bytes => "limit: the same bytes by hyper, no work",
        Target::Calls => {
            "limit: the bare calls by hyper's client, answers dropped; a runtime and a client for each core"
        }
        Target::SpreadCalls => "the same, one runtime over all cores",
        Target::Gateway(Class::A) => "A: the gateway, nothing shared",
        Target::Gateway(Class::B) => "B: the gateway, equal requests under way shared",
    }
}

fn mebibytes(memory: Memory) -> String {
    format!("{} / {}", memory.now / 1024, memory.most / 1024)
}

/// What it was measured on.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} × {model}, Linux {}", kernel.trim())
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
