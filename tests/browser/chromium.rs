//! A small driver of Chromium: commands go into a pipe, answers and happenings come out of another.
//!
//! It notes every request and every complaint of a page. Knows nothing of what a page shows.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running browser with one page.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    heard: Receiver<Value>,
    session: Option<String>,
    next: u64,
    /// The addresses that were asked for.
    pub(crate) requests: Vec<String>,
    /// Errors, warnings and exceptions.
    pub(crate) complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium with an empty page.
    pub(crate) fn start() -> Browser {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // The pipe is on descriptors 3 and 4, which the shell makes of its own input and output.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"])
            .args([
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let commands = child.stdin.take().expect("piped");
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let (said, heard) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if said.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let (session, requests, complaints) = (None, Vec::new(), Vec::new());
        let mut browser =
            Browser { child, commands, heard, session, next: 0, requests, complaints, _profile: profile };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = Some(attached["sessionId"].as_str().expect("a session").to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Opens a file in a window of this size, light or dark.
    pub(crate) fn open(&mut self, file: &Path, (width, height): (u32, u32), dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &features);
        let address = format!("file://{}", file.display());
        self.call("Page.navigate", &json!({ "url": address }));
        let ready = "new Promise(done => document.readyState === 'complete' ? done(true) : addEventListener('load', () => done(true)))";
        for _ in 0..100 {
            if self.eval("location.href") == json!(address) {
                assert_eq!(self.eval(ready), json!(true));
                self.settle();
                return;
            }
            self.wait(50);
        }
        panic!("{address} does not open");
    }

    /// The value of an expression in the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The text of an expression in the page.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, number) = match key {
            "ArrowRight" => (key, 39),
            "ArrowLeft" => (key, 37),
            "Home" => (key, 36),
            "End" => (key, 35),
            "Enter" => (key, 13),
            "Tab" => (key, 9),
            " " => ("Space", 32),
            _ => panic!("{key} has no number here"),
        };
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": key, "code": code, "text": text,
                "windowsVirtualKeyCode": number, "nativeVirtualKeyCode": number,
            });
            self.call("Input.dispatchKeyEvent", &event);
        }
        self.settle();
    }

    /// Types into what has the focus.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
        self.wait(300);
    }

    /// Presses and releases the mouse.
    pub(crate) fn click(&mut self, (x, y): (f64, f64)) {
        self.call("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": x, "y": y }));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &event);
        }
        self.settle();
    }

    /// A picture of the window, or of the whole page.
    pub(crate) fn picture(&mut self, whole: bool) -> String {
        let asked = json!({ "format": "png", "captureBeyondViewport": whole, "optimizeForSpeed": false });
        let answer = self.call("Page.captureScreenshot", &asked);
        answer["data"].as_str().expect("a picture").to_owned()
    }

    /// Calls a method and waits for its answer; what happens meanwhile is noted.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&command).expect("commands are JSON");
        bytes.push(0);
        self.commands.write_all(&bytes).expect("Chromium listens: is it installed?");
        loop {
            let message = self.heard.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: no answer"));
            if message["id"] == json!(self.next) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    /// Waits for two pictures of the page to be drawn.
    pub(crate) fn settle(&mut self) {
        self.eval(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
        );
    }

    /// Waits in the time of the page.
    pub(crate) fn wait(&mut self, milliseconds: u32) {
        self.eval(&format!("new Promise(done => setTimeout(() => done(true), {milliseconds}))"));
    }

    fn note(&mut self, message: &Value) {
        let (of, what) = (message["method"].as_str().unwrap_or_default(), &message["params"]);
        match of {
            "Network.requestWillBeSent" => {
                self.requests.push(what["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            "Network.webSocketCreated" => self.requests.push(what["url"].to_string()),
            "Runtime.exceptionThrown" => self.complaints.push(what["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" => self.complaints.push(what["args"].to_string()),
            "Log.entryAdded" => self.complaints.push(what["entry"]["text"].to_string()),
            "Page.javascriptDialogOpening" => self.complaints.push("a dialog".to_owned()),
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.child.wait();
    }
}
