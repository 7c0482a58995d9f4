// Moves cards by drag and by arrow keys. Every move posts what the card's own form would post;
// what the service refuses goes back to where it was, with the reason shown and read out.
"use strict";

(() => {
  const CARD = "[data-card][data-moves]";
  const INSIDE = "a, input, select, textarea, summary, label, details[open], button:not(.card__grip)";
  let dragged = null;
  let origin = null;
  let busy = false;

  const says = (text) => { document.getElementById("board-says").textContent = text; };

  function show(text, tone = "bad") {
    const box = document.getElementById("board-refusal");
    box.className = `notice notice--${tone}`;
    box.textContent = text;
    box.hidden = !text;
  }

  function work(isBusy) {
    busy = isBusy;
    document.documentElement.classList.toggle("is-busy", isBusy);
  }

  const cardsOf = (list) => [...list.querySelectorAll(":scope > [data-card]")];
  const listOf = (card) => card.closest("[data-column]");
  const placeOf = (card) => ({ list: card.parentElement, next: card.nextElementSibling });
  const putBack = (card, place) => place.list.insertBefore(card, place.next);

  function prepare() {
    document.querySelectorAll(`${CARD} .card__grip`).forEach((grip) => { grip.hidden = false; });
    document.querySelectorAll(CARD).forEach((card) => card.classList.add("is-movable"));
  }

  async function ask(card, fields) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const body = new URLSearchParams({ csrfmiddlewaretoken: token, ...fields });
    if (card.dataset.status) body.set("seen", card.dataset.status);
    const headers = { Accept: "application/json" };
    const answer = await fetch(card.dataset.move, { method: "POST", headers, body });
    const isJson = (answer.headers.get("Content-Type") || "").includes("json");
    if (!isJson) return { ok: false, message: "You are signed out. Sign in again; nothing was changed." };
    const told = await answer.json();
    const reasons = (told.reasons || []).filter((one) => !(told.detail || "").includes(one));
    return answer.ok
      ? { ok: true, message: told.message, warning: told.warning }
      : { ok: false, stale: answer.status === 409, message: [told.detail, ...reasons].join(" ") };
  }

  // Shows the board as the service sees it now, and gives the focus back.
  async function refresh(pk, hadFocus) {
    const here = location.pathname + location.search;
    await htmx.ajax("GET", here, { target: "#board", select: "#board", swap: "outerHTML" });
    prepare();
    const grip = document.querySelector(`#item-${pk} .card__grip`);
    if (hadFocus && grip) grip.focus();
  }

  async function send(card, fields, place) {
    const pk = card.dataset.card;
    const hadFocus = card.contains(document.activeElement);
    work(true);
    card.classList.add("is-waiting");
    show("");
    let told;
    try {
      told = await ask(card, fields);
    } catch {
      told = { ok: false, message: "The service did not answer. The card is where it was; try again." };
    }
    card.classList.remove("is-waiting");
    if (!told.ok) {
      putBack(card, place);
      if (hadFocus) card.querySelector(".card__grip").focus();
      show(told.message);
    } else {
      says(told.message);
      if (told.warning) show(told.warning, "warn");
    }
    if (told.ok || told.stale) await refresh(pk, hadFocus);
    work(false);
  }

  // What to post for where the card lies now.
  function fieldsFor(card) {
    const list = listOf(card);
    const next = card.nextElementSibling?.closest("[data-card]");
    const previous = card.previousElementSibling?.closest("[data-card]");
    const fields = {};
    if (list.dataset.column) fields.to = list.dataset.column;
    if (next) fields.before = next.dataset.card;
    else if (previous) fields.after = previous.dataset.card;
    return fields;
  }

  // --- Drag -------------------------------------------------------------------------------------

  document.addEventListener("pointerdown", (event) => {
    const card = event.target.closest(CARD);
    if (card) card.draggable = !busy && !event.target.closest(INSIDE);
  });

  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.(CARD);
    if (!card) return;
    dragged = card;
    origin = placeOf(card);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.title);
    requestAnimationFrame(() => card.classList.add("is-dragged"));
  });

  document.addEventListener("dragover", (event) => {
    const area = event.target.closest?.(".board__column, [data-column]");
    const list = area && (area.matches("[data-column]") ? area : area.querySelector("[data-column]"));
    if (!dragged || !list || list.dataset.lane !== listOf(dragged).dataset.lane) return;
    event.preventDefault();
    mark(list.closest(".board__column"));
    const below = cardsOf(list).find((card) => {
      const box = card.getBoundingClientRect();
      return card !== dragged && event.clientY < box.top + box.height / 2;
    });
    const next = below || list.querySelector(":scope > .board__none");
    if (next !== dragged.nextElementSibling || list !== dragged.parentElement) {
      list.insertBefore(dragged, next);
    }
  });

  document.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    const card = dragged;
    const place = origin;
    ended();
    if (card.parentElement === place.list && card.nextElementSibling === place.next) return;
    send(card, fieldsFor(card), place);
  });

  document.addEventListener("dragend", () => {
    if (dragged) putBack(dragged, origin);
    ended();
  });

  function ended() {
    dragged?.classList.remove("is-dragged");
    mark(null);
    dragged = origin = null;
  }

  function mark(column) {
    document.querySelectorAll(".is-target").forEach((one) => one.classList.remove("is-target"));
    column?.classList.add("is-target");
  }

  // --- Keys -------------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.(".card__grip") && event.target.closest(CARD);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!card || !step) return;
    event.preventDefault();
    if (busy) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") shift(card, step);
    else change(card, step);
  });

  function shift(card, step) {
    const cards = cardsOf(listOf(card));
    const other = cards[cards.indexOf(card) + step];
    if (!other) return says(`“${card.dataset.title}” is ${step < 0 ? "first" : "last"} already.`);
    const place = placeOf(card);
    other.insertAdjacentElement(step < 0 ? "beforebegin" : "afterend", card);
    card.querySelector(".card__grip").focus();
    send(card, { [step < 0 ? "before" : "after"]: other.dataset.card }, place);
  }

  function change(card, step) {
    const own = listOf(card);
    const lists = [...document.querySelectorAll("[data-column]")]
      .filter((list) => list.dataset.lane === own.dataset.lane);
    const allowed = card.dataset.moves.split(" ");
    let at = lists.indexOf(own) + step;
    while (lists[at] && !allowed.includes(lists[at].dataset.column)) at += step;
    if (!lists[at]) {
      return says(`“${card.dataset.title}” can go no further ${step < 0 ? "left" : "right"}.`);
    }
    const place = placeOf(card);
    lists[at].insertBefore(card, lists[at].querySelector(":scope > .board__none"));
    card.querySelector(".card__grip").focus();
    send(card, { to: lists[at].dataset.column }, place);
  }

  if (document.getElementById("board")) prepare();
  else document.addEventListener("DOMContentLoaded", prepare);
})();
