/*
 * Tobidashi の小さな脚本。なくても全部の仕事ができる。あるときに少し楽になるだけ。
 * 要素に data-feature="名前" と書くと、下の同じ名前の関数が一度だけ呼ばれる。足すときは features に関数を一つ足す。
 */
"use strict";

const features = {
  /* 字数: data-limit があれば「24字 / 60字」。数え方はサーバーと同じ(符号位置) */
  count(output) {
    const input = document.getElementById(output.dataset.for);
    const limit = output.dataset.limit;
    const show = () => {
      output.textContent = [...input.value].length + "字" + (limit ? " / " + limit + "字" : "");
    };
    input.addEventListener("input", show);
  },

  /* 二度押し: 送っている間は、もう一度送らない。戻ったときは押せる */
  once(form) {
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
    addEventListener("pageshow", () => { sent = false; });
  },

  /* まとめ: 直す所の一覧が出たら、そこから読み始める */
  focus(element) {
    element.focus();
  },
};

const start = (root) => {
  for (const element of root.querySelectorAll("[data-feature]")) {
    for (const name of element.dataset.feature.split(" ")) features[name]?.(element);
  }
};

start(document);
