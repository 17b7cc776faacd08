//! `report.html` in a real browser: no complaint, no request, usable by keyboard, readable by everyone.
//!
//! Ignored by default, since they need Chromium: `cargo test --test browser -- --ignored`.

mod chromium;
mod sheets;

use std::path::{Path, PathBuf};
use std::process::Command;

use chromium::Browser;
use serde_json::{Value, json};
use tempfile::TempDir;
use windtunnel::measure::sheet::Sheet;

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// The number in which the page states its time.
const NOW: &str = "document.getElementById('when').value";
/// Everything that the map shows.
const MAP: &str = "[...document.querySelectorAll('.box, .lane .bar')].map(each => each.style.backgroundImage + each.closest('button').className).join('\\n')";

/// Runs a scenario of the repository; hands back its report.
fn simulated(scenario: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let status = Command::new(env!("CARGO_BIN_EXE_windtunnel"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", &format!("scenarios/{scenario}"), "--quiet", "--out"])
        .arg(folder.path())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("the program starts").success());
    let page = folder.path().join("report.html");
    (folder, page)
}

/// The report of a sheet as a file.
fn written(sheet: &Sheet) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = windtunnel::report::files(sheet);
    let page = files.into_iter().find(|file| file.path == "report.html").expect("a report");
    let path = folder.path().join("report.html");
    std::fs::write(&path, page.bytes()).expect("it can be written");
    (folder, path)
}

/// Every report that is looked at: name, folder, page.
fn reports() -> Vec<(&'static str, TempDir, PathBuf)> {
    let named = |name, (folder, page)| (name, folder, page);
    vec![
        named("one-task", simulated("one-task")),
        named("first-flight", simulated("first-flight")),
        named("pending", simulated("scheduler/pending")),
        named("summed", written(&sheets::summed())),
        named("hostile", written(&sheets::hostile())),
        named("empty", written(&sheets::empty())),
    ]
}

fn open(browser: &mut Browser, page: &Path, size: (u32, u32), dark: bool) {
    browser.open(page, size, dark);
    assert_eq!(browser.eval("document.documentElement.classList.contains('live')"), json!(true));
}

#[test]
#[ignore = "needs Chromium"]
fn no_page_complains_or_asks_for_anything() {
    for (name, _folder, page) in reports() {
        let mut browser = Browser::start();
        for (size, dark) in [(DESK, false), (DESK, true), (PHONE, false)] {
            open(&mut browser, &page, size, dark);
            browser.eval("document.getElementById('theme').click()");
            browser.eval("document.getElementById('play').click()");
            browser.wait(300);
        }
        assert_eq!(browser.complaints, Vec::<String>::new(), "{name}");
        let own = format!("file://{}", page.display());
        let others: Vec<&String> = browser.requests.iter().filter(|address| **address != own).collect();
        assert_eq!(others, Vec::<&String>::new(), "{name}");
        assert!(browser.requests.len() == 3, "{name}: the page itself is noted");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_policy_of_the_page_stops_scripts_and_requests() {
    let (_folder, page) = simulated("one-task");
    let mut browser = Browser::start();
    open(&mut browser, &page, DESK, false);
    browser.eval("void document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.com/a.png\" onerror=\"window.ran = 1\"><p style=\"color:red\">a</p>')");
    browser.eval("void document.body.appendChild(Object.assign(document.createElement('script'), { textContent: 'window.ran = 2' }))");
    let fetched = browser.eval("fetch('https://example.com/').then(() => 'fetched', () => 'stopped')");
    let evaluated = browser.eval("new Promise(done => { const probe = document.createElement('script'); probe.textContent = 'eval(1)'; document.body.append(probe); done(typeof window.ran); })");
    assert_eq!((fetched, evaluated), (json!("stopped"), json!("undefined")));
    assert!(browser.complaints.iter().any(|said| said.contains("Content Security Policy")));
}

#[test]
#[ignore = "needs Chromium"]
fn everyone_can_read_it() {
    let axe = include_str!("../data/axe.min.js");
    for (name, _folder, page) in reports() {
        let mut browser = Browser::start();
        for (size, dark) in [(DESK, false), (DESK, true), (PHONE, false), (PHONE, true)] {
            open(&mut browser, &page, size, dark);
            browser.eval("void document.querySelectorAll('details').forEach(each => each.open = true)");
            browser.eval("void document.querySelector('.cell:not(.gone), .lane')?.click()");
            browser.settle();
            browser.eval(&format!("{axe}; true"));
            let found = browser.eval(
                "axe.run().then(found => found.violations.map(each => each.id + ': ' + \
                 each.nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' ' + node.any.map(any => any.message).join(' ')).join(' | ')))",
            );
            assert_eq!(found, json!([]), "{name}, {size:?}, dark: {dark}");
            let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.eval(wide), json!(0), "{name}, {size:?}: the page is as wide as the window");
        }
    }
}

#[test]
#[ignore = "needs Chromium"]
fn keys_move_the_map() {
    for (name, _folder, page) in reports().into_iter().take(3) {
        let mut browser = Browser::start();
        open(&mut browser, &page, DESK, false);
        browser.eval("document.getElementById('when').focus()");
        browser.press("Home");
        let first =
            (browser.text(NOW), browser.text(MAP), browser.text("document.getElementById('clock').value"));
        assert_eq!(first.0, "0", "{name}");
        for _ in 0..12 {
            browser.press("ArrowRight");
        }
        let later = browser.text(NOW);
        assert_ne!(later, "0", "{name}");
        browser.press("ArrowLeft");
        assert_ne!(browser.text(NOW), later, "{name}");
        browser.eval(&format!("(() => {{ const when = {}; when.value = when.max / 3; when.dispatchEvent(new Event('input')); }})()", "document.getElementById('when')"));
        assert_ne!(browser.text(MAP), first.1, "{name}");
        assert_ne!(browser.text("document.getElementById('clock').value"), first.2, "{name}");
        let marked = "[...document.querySelectorAll('.mark')].map(mark => mark.style.left).join()";
        let before = browser.text(marked);
        browser.press("End");
        assert_ne!(browser.text(marked), before, "{name}: the charts follow");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn play_moves_on_and_pauses() {
    let (_folder, page) = simulated("first-flight");
    let mut browser = Browser::start();
    open(&mut browser, &page, DESK, false);
    browser.eval("document.getElementById('play').focus()");
    let number = |text: String| text.parse::<f64>().expect("a number");
    let before = number(browser.text(NOW));
    browser.press("Enter");
    browser.wait(700);
    let playing = number(browser.text(NOW));
    assert!(playing > before, "{playing} > {before}");
    assert_eq!(browser.text("document.getElementById('play').textContent"), "Pause");
    browser.press("Enter");
    let paused = browser.text(NOW);
    browser.wait(300);
    assert_eq!(browser.text(NOW), paused);
    assert_eq!(browser.text("document.getElementById('play').textContent"), "Play");
}

#[test]
#[ignore = "needs Chromium"]
fn events_are_found_and_move_the_map() {
    let (_folder, page) = simulated("first-flight");
    let mut browser = Browser::start();
    open(&mut browser, &page, DESK, false);
    let rows = "[...document.querySelectorAll('#event-rows .says')].map(row => row.textContent)";
    let count = "document.getElementById('events-count').textContent";
    let all = browser.text(count);
    browser.eval("document.getElementById('words').focus()");
    browser.write("front STEADY");
    let found: Vec<String> = strings(&browser.eval(rows));
    assert!(
        !found.is_empty()
            && found.iter().all(|row| row.contains("(service front)") && row.contains("steady")),
        "{found:?}"
    );
    assert!(browser.text(count).ends_with(&format!("of {all}")));
    browser.eval("document.querySelector('#event-rows button').focus()");
    browser.press("Enter");
    let at = browser.text("document.querySelector('#event-rows [aria-current] button').textContent");
    assert!(browser.text("document.getElementById('clock').value").contains(&at));
    let focused = "document.activeElement.closest('#event-rows') !== null";
    assert_eq!(browser.eval(focused), json!(true), "the focus stays in the list");
    browser.eval("(() => { const kind = document.getElementById('of-kind'); kind.value = 'task'; kind.dispatchEvent(new Event('change')); document.getElementById('words').value = ''; document.getElementById('words').dispatchEvent(new Event('input')); })()");
    browser.wait(300);
    let stopped = strings(&browser.eval(rows));
    assert!(!stopped.is_empty() && stopped.iter().all(|row| row.contains("has stopped.")), "{stopped:?}");
}

#[test]
#[ignore = "needs Chromium"]
fn boxes_are_chosen_by_keyboard_and_charts_by_mouse() {
    let (_folder, page) = simulated("first-flight");
    let mut browser = Browser::start();
    open(&mut browser, &page, DESK, false);
    browser.eval("document.querySelector('.zones button[tabindex=\"0\"]').focus()");
    browser.press("ArrowRight");
    browser.press("Enter");
    let chosen = browser.text("document.querySelector('.chosen:not([hidden])').textContent");
    let name = browser.text("document.querySelector('[aria-pressed=true] .name').textContent");
    assert!(chosen.starts_with(&name) && chosen.contains("RUNNING"), "{chosen}");
    browser.eval("document.querySelector('[data-chart=\"0 cpu\"]').scrollIntoView({ block: 'center' })");
    let place = browser.eval("(() => { const at = document.querySelector('[data-chart=\"0 cpu\"] .u-over').getBoundingClientRect(); return [at.left + at.width * 0.25, at.top + at.height / 2]; })()");
    let part = |nth: usize| place[nth].as_f64().expect("a place");
    browser.click((part(0), part(1)));
    let share = browser.eval("document.getElementById('when').value / document.getElementById('when').max");
    assert!((share.as_f64().expect("a share") - 0.25).abs() < 0.02, "{share}");
}

#[test]
#[ignore = "needs Chromium"]
fn without_scripts_tables_and_plots_stand() {
    let (_folder, page) = simulated("first-flight");
    let mut browser = Browser::start();
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.call("Page.navigate", &json!({ "url": format!("file://{}", page.display()) }));
    // The driver's own questions are answered all the same.
    let ready = json!(format!("file://{} complete", page.display()));
    let opened = (0..2_000).any(|_| browser.eval("location.href + ' ' + document.readyState") == ready);
    assert!(opened, "the page opens without scripts");
    let shown = "[...document.querySelectorAll('SELECTOR')].filter(each => each.checkVisibility()).length";
    let mut count = |selector: &str| browser.eval(&shown.replace("SELECTOR", selector)).as_u64().unwrap_or(0);
    assert!(count("figure svg") >= 8);
    assert!(count("#event-rows, #player, #theme, .chart") == 0);
    assert!(count("section table") >= 5);
    assert!(count(".tree summary") >= 6);
}

#[test]
#[ignore = "writes the pictures of the documentation; run it by name"]
fn take_the_pictures() {
    let into = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    std::fs::create_dir_all(&into).expect("a folder");
    for (name, _folder, page) in reports() {
        let mut browser = Browser::start();
        for (look, size, dark) in [("light", DESK, false), ("dark", DESK, true), ("phone", PHONE, false)] {
            open(&mut browser, &page, size, dark);
            for (part, whole) in [("top", false), ("page", true)] {
                save(&mut browser, &into.join(format!("{name}-{look}-{part}.png")), whole);
            }
            browser.eval("document.getElementById('map').scrollIntoView()");
            browser.settle();
            save(&mut browser, &into.join(format!("{name}-{look}-map.png")), false);
        }
    }
}

fn save(browser: &mut Browser, path: &Path, whole: bool) {
    let text = browser.picture(whole);
    std::fs::write(path, decoded(&text)).expect("it can be written");
}

/// Bytes written in base 64.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter_map(|letter| LETTERS.iter().position(|known| *known == letter)) {
        bits = (bits << 6 | u32::try_from(letter).expect("below 64")) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    bytes
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().expect("a list").iter();
    all.map(|each| each.as_str().expect("text").to_owned()).collect()
}
