/*
 * Tobidashi の小さな脚本。なくても全部の仕事ができる。あるときに少し楽になるだけ。
 * 要素に data-feature="名前" と書くと、下の同じ名前の関数が一度だけ呼ばれる。足すときは features に関数を一つ足す。
 */
"use strict";

const NEW = "/cases/new";
const AFTER_TYPING = 2000;   // 書く手が止まってから残すまで(ミリ秒)
const AFTER_FIELD = 300;     // 欄を離れてから
const AT_LATEST = 15000;     // 書き続けていても、これだけたてば残す
const LONGEST_WAIT = 60000;  // つながらないとき、次に試すまでの上限
const LEAVING_LIMIT = 60000; // 画面を離れながら送れる大きさ(バイト)

const SAID = {
  soon: "書くと、数秒で自動で残ります",
  away: "つながらないため、まだ残せていません。書いた内容はこの画面にあります。つながりしだい残します。",
  notSent: "つながらないため、まだ送っていません。書いた内容はこの画面にあります。少し待って、もう一度押してください。",
  signedOut: "ログインが切れたため、まだ残せていません。書いた内容はこの画面にあります。",
  signIn: "別の画面でログインする",
  other: "いまは別の方がログインしています。この画面の内容は残していません。書いた方がログインし直すと、続きを残せます。",
};

const asked = (url, options = {}) =>
  fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers }, signal: AbortSignal.timeout?.(20000) });

/* つながるか。返事があれば、中身は問わない */
const lineIsUp = () => asked("/livez").then(() => true, () => false);

/* 知らせの欄に一文を出す。欄のない様式では、末に作る */
const say = (form, sentence, link) => {
  let place = form.querySelector("[role=status]");
  if (!place) {
    place = document.createElement("div");
    place.setAttribute("role", "status");
    form.append(place);
  }
  const notice = document.createElement("p");
  notice.className = "notice notice--warn";
  const text = document.createElement("span");
  text.textContent = sentence;
  notice.append(text);
  if (link) {
    const way = document.createElement("a");
    Object.assign(way, { href: link.href, textContent: link.text, target: "_blank", rel: "noopener" });
    text.append(" ", way);
  }
  place.replaceChildren(notice);
};

/* サーバーがその画面として書いた小片を、その場所に入れる。言うことが同じなら触らない */
const show = (parts) => {
  for (const [id, html] of Object.entries(parts)) {
    const place = document.getElementById(id);
    const piece = document.createElement("template");
    piece.innerHTML = html;
    if (!place || place.textContent.trim() === piece.content.textContent.trim()) continue;
    place.replaceChildren(piece.content);
    start(place);
  }
};

/* 書かれた字が、開いたときのままでない欄があるか */
const written = (form) =>
  [...form.querySelectorAll("textarea, input[type=text], input:not([type])")].some((field) => field.value !== field.defaultValue);

const keepers = new WeakMap(); // 自動で残す様式 → 残し終えるまで待つ関数

const features = {
  /* 字数: data-limit があれば「24字 / 60字」。数え方はサーバーと同じ(符号位置) */
  count(output) {
    const input = document.getElementById(output.dataset.for);
    const limit = output.dataset.limit;
    const tell = () => {
      output.textContent = [...input.value].length + "字" + (limit ? " / " + limit + "字" : "");
    };
    input.addEventListener("input", tell);
    addEventListener("pageshow", tell);
  },

  /* 送る: 二度は送らない。書いたものがあるときは、つながるのを確かめてから送る。つながらなければ、画面も文もそのまま */
  once(form) {
    let step = "";
    form.addEventListener("submit", async (event) => {
      if (step === "going") {
        step = form.dataset.sent = "sent";
        return;
      }
      if (step) return event.preventDefault();
      if (!form.requestSubmit || !(written(form) || keepers.has(form))) {
        step = form.dataset.sent = "sent";
        return;
      }
      event.preventDefault();
      step = "asking";
      await keepers.get(form)?.();
      if (await lineIsUp()) {
        step = "going";
        form.requestSubmit(event.submitter);
      } else {
        step = "";
        say(form, SAID.notSent);
      }
    });
    addEventListener("pageshow", () => {
      step = "";
      delete form.dataset.sent;
    });
    addEventListener("beforeunload", (event) => {
      if (written(form) && !form.dataset.sent && !keepers.has(form)) event.preventDefault();
    });
  },

  /* 大きさ: 送る前に分かることは、送る前に言う */
  size(input) {
    input.addEventListener("change", () => {
      const large = [...input.files].some((file) => file.size > Number(input.dataset.limit));
      input.setCustomValidity(large ? input.dataset.sentence : "");
      input.reportValidity();
    });
  },

  /* まとめ: 直す所の一覧が出たら、そこから読み始める */
  focus(element) {
    element.focus();
  },

  /* 日付: 年月日の欄を書き終えたら、どう読み取ったかを言い返す。自動で残す様式では、残したときに新しくなる */
  "echo-date"(group) {
    if (group.closest("form")?.dataset.autosave) return;
    const echo = group.querySelector("[aria-live]");
    group.addEventListener("change", async () => {
      const typed = [...group.querySelectorAll("input")].map((box) => box.value.trim()).filter(Boolean).join(".");
      const answer = await asked("/dates?typed=" + encodeURIComponent(typed)).catch(() => null);
      if (answer?.ok) echo.textContent = (await answer.json()).echo;
    });
  },

  /* 自動で残す: 手が止まって数秒、欄や画面を離れるとき。答えが来るまで次は送らず、来なければ同じものを送り直す */
  autosave(form) {
    const mark = (name) => form.elements[name];
    let typed = 0;      // 何回書いたか
    let sent = 0;       // そのうち、答えの来た分
    let kept = 0;       // そのうち、一つ残らず残った分
    let since = 0;      // 残っていない字を書きはじめた時
    let pending = null; // 送ったが、答えのまだ来ないもの
    let left = false;   // 離れながら送り、答えを聞けなかった
    let running = null;
    let timer = 0;
    let wait = AFTER_TYPING;
    let said = "";

    const later = (delay) => {
      clearTimeout(timer);
      timer = setTimeout(keep, delay);
    };

    const pack = () => {
      const texts = [...new FormData(form)].filter(([, value]) => typeof value === "string");
      const body = new URLSearchParams(texts);
      if (left) body.set("unheard", "yes");
      return { url: form.dataset.autosave, body, typed };
    };

    const tell = (sentence, link) => {
      if (sentence !== said) say(form, sentence, link);
      said = sentence;
    };

    const retry = (sentence, link) => {
      tell(sentence, link);
      wait = Math.min(wait * 2, LONGEST_WAIT);
      later(wait);
    };

    /* この画面に訳があるときは、次に書かれるまで送らない */
    const refused = ({ happened }) => {
      sent = pending.typed;
      pending = null;
      tell(happened + " 書いた内容はこの画面にあります。");
    };

    /* 新しい様式が下書きになった。送り先も画面のアドレスも、その下書きのものにする */
    const become = ({ autosave, post, address }) => {
      const before = form.getAttribute("action");
      for (const button of form.querySelectorAll(`[formaction="${CSS.escape(before)}"]`)) button.setAttribute("formaction", post);
      form.setAttribute("action", post);
      form.dataset.autosave = autosave;
      history.replaceState(history.state, "", address);
    };

    const settle = (answer) => {
      for (const name of ["saves", "opened", "met"]) mark(name).value = answer[name];
      if (pending.url.startsWith(NEW)) become(answer);
      sent = pending.typed;
      if (answer.settled) kept = sent;
      pending = null;
      left = false;
      wait = AFTER_TYPING;
      said = "";
      show(answer.parts);
      if (typed > sent) later(AFTER_TYPING);
    };

    /* ログインし直したあとの新しい印。同じ人にだけ渡される */
    const renewed = async () => {
      const answer = await asked("/form-token", { headers: { "X-Form-Token": mark("csrf").value } });
      if (answer.ok) {
        const { csrf } = await answer.json();
        for (const input of document.querySelectorAll("input[name=csrf]")) input.value = csrf;
        pending.body.set("csrf", csrf);
      } else if (answer.status === 403) {
        retry(SAID.other);
      } else {
        retry(SAID.signedOut, { href: "/login?next=/inbox", text: SAID.signIn });
      }
      return answer.ok;
    };

    const attempt = async (again = false) => {
      pending ??= pack();
      const answer = await asked(pending.url, { method: "POST", body: pending.body });
      const mayRenew = !again && [401, 403].includes(answer.status);
      if (answer.ok) settle(await answer.json());
      else if (mayRenew) await renewed() && await attempt(true);
      else if (answer.status < 500) refused(await answer.json());
      else retry(SAID.away);
    };

    const keep = () => {
      clearTimeout(timer);
      since = 0;
      if (typed > sent || pending) running ??= attempt().catch(() => retry(SAID.away)).finally(() => { running = null; });
      return running;
    };

    const write = (delay) => {
      typed += 1;
      since ||= Date.now();
      if (!pending) later(Math.min(delay, Math.max(0, since + AT_LATEST - Date.now())));
    };
    form.addEventListener("input", () => write(AFTER_TYPING));
    form.addEventListener("change", () => write(AFTER_FIELD));

    /* 離れるときは答えを待てない。送りかけのものがあれば、それも自分のものだと添える */
    const unkept = () => typed > kept && !form.dataset.sent;
    addEventListener("pagehide", () => {
      if (!unkept()) return;
      left ||= Boolean(pending);
      const { url, body } = pack();
      const keepalive = String(body).length < LEAVING_LIMIT;
      fetch(url, { method: "POST", body, keepalive, headers: { Accept: "application/json" } }).catch(() => {});
      left = true;
    });
    addEventListener("beforeunload", (event) => {
      if (!unkept()) return;
      keep();
      event.preventDefault();
    });

    /* 戻ったときは、残っていなければ残し、ほかの人が書き足していれば知らせる */
    const back = async () => {
      if (typed > sent || pending) return keep();
      if (form.dataset.autosave.startsWith(NEW)) return;
      const address = new URL(form.dataset.autosave, location.href);
      address.searchParams.set("saves", mark("saves").value);
      const answer = await asked(address).catch(() => null);
      if (answer?.ok) show((await answer.json()).parts);
    };
    addEventListener("online", back);
    addEventListener("focus", back);
    document.addEventListener("visibilitychange", () => document.hidden ? keep() : back());

    keepers.set(form, async () => {
      clearTimeout(timer);
      await running;
      if (pending) await keep();
    });
    if (form.dataset.autosave.startsWith(NEW)) document.getElementById("save-line").lastElementChild.textContent = SAID.soon;
  },
};

/* 一覧の行: 一覧の中にいる間だけ、j k(か矢印)で行を移り、x で選び、? で説明を開く。字を書く欄では何もしない */
features.rows = (list) => {
  const rows = [...list.querySelectorAll("tbody tr")];
  const help = list.closest("form")?.parentElement.querySelector(".keys") ?? list.parentElement.querySelector(".keys");
  if (help) help.hidden = false;
  const go = (from, by) => {
    const row = rows[Math.min(Math.max(from + by, 0), rows.length - 1)];
    row.querySelector("a.data-table__title")?.focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const doing = {
    j: (at) => go(at, 1),
    ArrowDown: (at) => go(at, 1),
    k: (at) => go(at, -1),
    ArrowUp: (at) => go(at, -1),
    x: (at) => rows[at].querySelector("input[type=checkbox]")?.click(),
    "?": () => { if (help) help.open = !help.open; },
  };
  list.addEventListener("keydown", (event) => {
    const field = event.target.closest("textarea, select, input:not([type=checkbox])");
    const at = rows.indexOf(event.target.closest("tr"));
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (field || at < 0 || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !doing[key]) return;
    event.preventDefault();
    doing[key](at);
  });
};

/* 表の行を足す: 画面の中で足すので、つながらない間も書き続けられる。スクリプトがなければ、ボタンが画面ごと足す */
features["more-rows"] = (box) => {
  const button = box.querySelector("button[value^='add:']");
  button?.addEventListener("click", (event) => {
    const path = button.value.slice("add:".length);
    const rows = box.querySelectorAll("tbody > tr, fieldset.task");
    const last = rows[rows.length - 1];
    const named = last?.querySelector("[name]");
    if (!named) return;
    event.preventDefault();
    const number = Number(named.name.slice(path.length + 1).split(".")[0]);
    const fresh = last.cloneNode(true);
    const moved = (text) => text
      .replaceAll(`${path}.${number}.`, `${path}.${number + 1}.`)
      .replaceAll(`${box.id}-${number}-`, `${box.id}-${number + 1}-`)
      .replaceAll(`${rows.length}行目`, `${rows.length + 1}行目`);
    for (const element of [fresh, ...fresh.querySelectorAll("*")]) {
      for (const name of ["id", "name", "for", "aria-label", "aria-describedby", "aria-labelledby", "data-for"]) {
        if (element.hasAttribute(name)) element.setAttribute(name, moved(element.getAttribute(name)));
      }
      element.removeAttribute("aria-invalid");
      if (element.matches("legend")) element.textContent = moved(element.textContent);
      if (element.matches("input[type=checkbox], input[type=radio]")) element.checked = element.defaultChecked = false;
      else if (element.matches("input:not([type=hidden])")) element.value = element.defaultValue = "";
      else if (element.matches("textarea")) element.value = element.textContent = "";
      else if (element.matches("select")) element.selectedIndex = 0;
    }
    for (const wrong of fresh.querySelectorAll(".field__error")) wrong.remove();
    last.after(fresh);
    start(fresh);
    for (const field of fresh.querySelectorAll("input, textarea")) field.dispatchEvent(new Event("input")); // the counts begin anew
    fresh.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  });
};

const start = (root) => {
  for (const element of root.querySelectorAll("[data-feature]")) {
    for (const name of element.dataset.feature.split(" ")) features[name]?.(element);
  }
};

start(document);
