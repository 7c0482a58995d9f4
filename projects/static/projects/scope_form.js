/* Tells the readiness beside the form what other scripts changed, and keeps what was typed. */
"use strict";
(() => {
  const form = document.getElementById("scopingdocument_form");
  const panel = document.getElementById("readiness-panel");
  if (!form || !panel || !panel.hasAttribute("hx-post")) {
    return;
  }
  let isDirty = form.querySelector(".errornote, .errorlist") !== null;
  const changed = () => {
    isDirty = true;
    form.dispatchEvent(new Event("scope:changed"));
  };
  const say = (words) => {
    const state = document.getElementById("readiness-state");
    if (state) {
      state.textContent = words;
    }
  };

  // The search boxes are drawn by a script that gives them no name; the label has it.
  const nameBoxes = () => {
    for (const select of form.querySelectorAll("select.admin-autocomplete")) {
      const label = form.querySelector(`label[for="${select.id}"]`);
      const box = select.parentElement.querySelector(".select2-container");
      if (label && box) {
        for (const part of box.querySelectorAll("[role=combobox], [role=textbox]")) {
          part.removeAttribute("aria-labelledby");
          part.setAttribute("aria-label", label.textContent.replace(/:\s*$/, ""));
        }
      }
    }
  };
  if (window.django && window.django.jQuery) {
    window.django.jQuery(() => setTimeout(nameBoxes));
  }
  document.addEventListener("formset:added", () => setTimeout(nameBoxes));

  form.addEventListener("input", () => { isDirty = true; });
  // The search boxes and the calendar change fields without an event that htmx hears.
  if (window.django && window.django.jQuery) {
    window.django.jQuery(form).on("select2:select select2:unselect select2:clear", changed);
  }
  form.addEventListener("focusout", (event) => {
    if (event.target.matches(".vDateField")) {
      changed();
    }
  });
  document.addEventListener("formset:removed", changed);

  form.addEventListener("submit", () => { isDirty = false; });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty) {
      event.preventDefault();
    }
  });

  // A sign-in that ran out answers with another page, which is not to replace the panel.
  panel.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.xhr.responseText.includes('id="readiness-answer"')) {
      event.detail.shouldSwap = false;
      say("Not checked: sign in again in another window. What you typed stays here.");
    }
  });
  panel.addEventListener("htmx:sendError", () => say("Not checked: the service does not answer."));
  panel.addEventListener("htmx:beforeRequest", () => say("Checking …"));

  // Where there is no room beside the form, the readiness is one line until it is asked for.
  if (window.matchMedia("(max-width: 1023px)").matches) {
    document.getElementById("readiness-fold").open = false;
  }

  // What the reader has folded away stays so when the answer comes.
  let folded = [];
  panel.addEventListener("htmx:beforeSwap", () => {
    folded = [...panel.querySelectorAll("details:not([open])")].map((one) => one.id);
  });
  panel.addEventListener("htmx:afterSwap", () => {
    for (const id of folded) {
      document.getElementById(id)?.removeAttribute("open");
    }
  });

  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const section = target && target.closest("details.scope-section");
    if (section && !section.open) {
      section.open = true;
      target.scrollIntoView();
    }
    const field = target && target.querySelector("input:not([type=hidden]), select, textarea");
    if (field && target.matches(".scope-field")) {
      field.focus({ preventScroll: true });
    }
  };
  window.addEventListener("hashchange", open);
  open();
})();
