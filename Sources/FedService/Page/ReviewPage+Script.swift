extension ReviewPage {
    /// What the page does.
    ///
    /// Texts from the service are only ever set as text.
    static let script = #"""
        const $ = id => document.getElementById(id);
        const state = { language: localStorage.getItem("language") ||
            (navigator.language.startsWith("zh") ? "zh" : "en"),
          cases: [], chosen: null, effect: null, model: null, minor: 100, currency: "" };
        const t = key => words[state.language][key] || key;

        function element(name, text, className) {
          const made = document.createElement(name);
          if (text !== undefined) made.textContent = text;
          if (className) made.className = className;
          return made;
        }
        function say(text, isBad) {
          $("status").textContent = text;
          $("status").className = isBad ? "bad" : "";
        }
        function key() {
          const bytes = crypto.getRandomValues(new Uint8Array(16));
          return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
        }
        async function ask(path, body, once) {
          const headers = {};
          const token = sessionStorage.getItem("token");
          if (token) headers["Authorization"] = "Bearer " + token;
          if (body !== undefined) {
            headers["Content-Type"] = "application/json";
            headers["Idempotency-Key"] = once;
          }
          let answer;
          for (let attempt = 0; ; attempt++) {
            try {
              answer = await fetch(path, body === undefined ? { headers }
                : { method: "POST", headers, body: JSON.stringify(body) });
              break;
            } catch (failure) {
              if (attempt === 2) throw new Error(t("unreachable"));
              await new Promise(done => setTimeout(done, 300));
            }
          }
          if (answer.status === 401) {
            $("login").hidden = false;
            $("token").focus();
          }
          const document = await answer.json();
          if (!answer.ok) {
            const error = document.error;
            throw new Error([error.field, error.got, "≠", error.expected].join(" "));
          }
          return document;
        }
        async function attempt(work) {
          try { await work(); } catch (failure) { say(t("failed") + " " + failure.message, true); }
        }

        function amount(minorUnits) {
          return new Intl.NumberFormat(state.language, { maximumFractionDigits: 0 })
            .format(minorUnits / state.minor) + " " + state.currency;
        }
        function percent(share) {
          return new Intl.NumberFormat(state.language,
            { style: "percent", maximumFractionDigits: 1 }).format(share);
        }
        function interval(figure) {
          return percent(figure.value) + " (" + percent(figure.low) + " … " +
            percent(figure.high) + ")";
        }

        function showCases() {
          const rows = state.cases.map((found, index) => {
            const row = element("tr");
            row.tabIndex = -1;
            row.dataset.case = found.case;
            row.setAttribute("aria-selected", String(index === state.chosen));
            const standing = found.standing;
            const verdict = !standing ? ""
              : standing.disputed ? t("disputed")
              : standing.verdict === "confirmed_fraud" ? t("confirmed_fraud")
              : t(standing.verdict).slice(2);
            row.append(element("td", found.case), element("td", found.entity),
              element("td", percent(found.probability), "number"),
              element("td", amount(found.expected_loss), "number"),
              element("td", t(found.slice)), element("td", verdict));
            row.addEventListener("click", () => choose(index, true));
            row.addEventListener("focus", () => choose(index, false));
            return row;
          });
          $("rows").replaceChildren(...rows);
          if (rows.length) rows[state.chosen === null ? 0 : state.chosen].tabIndex = 0;
          $("none").hidden = rows.length > 0;
          showReasons();
        }
        function choose(index, moveFocus) {
          if (!state.cases.length) return;
          const wanted = Math.max(0, Math.min(index, state.cases.length - 1));
          const rows = $("rows").children;
          for (let other = 0; other < rows.length; other++) {
            rows[other].setAttribute("aria-selected", String(other === wanted));
            rows[other].tabIndex = other === wanted ? 0 : -1;
          }
          if (state.chosen !== wanted) $("kept").value = "0";
          state.chosen = wanted;
          showReasons();
          if (moveFocus && document.activeElement !== rows[wanted]) rows[wanted].focus();
        }
        function showReasons() {
          const found = state.chosen === null ? null : state.cases[state.chosen];
          $("chosen").textContent = found ? found.case + " · " + found.entity : t("choose");
          $("reasons").replaceChildren(...(found ? found.reasons : []).map(reason => {
            const row = element("tr");
            const text = state.language === "zh" ? reason.description_zh : reason.description;
            row.append(element("td", text), element("td", reason.feature),
              element("td", reason.value === null ? "–" : String(reason.value), "number"),
              element("td", "+" + reason.contribution.toFixed(2), "number"));
            row.firstChild.style.whiteSpace = "normal";
            return row;
          }));
          for (const button of document.querySelectorAll("[data-verdict]")) {
            button.disabled = !found;
          }
        }
        function pairs(target, figures) {
          target.replaceChildren(...figures.flatMap(([name, figure]) =>
            [element("dt", name), element("dd", figure)]));
        }
        function showEffect() {
          const report = state.effect.report;
          const gain = !state.effect.frauds_known_elsewhere ? t("unknown_gain")
            : report.gain_over_local ? interval(report.gain_over_local) : "–";
          pairs($("figures"), [
            [t("listed"), report.listed], [t("confirmed_count"), report.confirmed],
            [t("false_alarms"), report.false_alarms],
            [t("unclear_open"), report.unclear + report.open],
            [t("precision"), report.precision ? interval(report.precision) : "–"],
            [t("balance"), amount(report.amount_kept)], [t("gain"), gain]]);
          const names = ["by_both", "by_list_only", "by_local_only", "by_neither"];
          const most = Math.max(1, ...names.map(name => report.frauds[name]));
          const svg = name => document.createElementNS("http://www.w3.org/2000/svg", name);
          $("plot").setAttribute("aria-label", t("plot"));
          $("plot").replaceChildren(...names.flatMap((name, index) => {
            const bar = svg("rect"), label = svg("text"), figure = svg("text");
            const share = 45 * report.frauds[name] / most;
            bar.setAttribute("class", "bar");
            bar.setAttribute("x", "40%");
            bar.setAttribute("y", index * 26 + 3);
            bar.setAttribute("width", share + "%");
            bar.setAttribute("height", 18);
            label.setAttribute("x", 0);
            label.setAttribute("y", index * 26 + 17);
            label.textContent = t(name);
            figure.setAttribute("x", (42 + share) + "%");
            figure.setAttribute("y", index * 26 + 17);
            figure.textContent = report.frauds[name];
            return [bar, label, figure];
          }));
        }
        function showModel() {
          const { model, policy } = state.model;
          $("bank").textContent = state.model.bank;
          $("version").textContent = model.version + " · " + model.sha256.slice(0, 12);
          pairs($("models"), [
            [t("version"), model.version], [t("rule"), model.rule], [t("sha"), model.sha256],
            [t("policy"), policy.name + " " + policy.version], [t("sha"), policy.sha256],
            [t("swaps"), state.model.swaps]]);
        }
        function showAll() {
          document.documentElement.lang = state.language;
          $("language").textContent = state.language === "zh" ? "English" : "中文";
          $("language").lang = state.language === "zh" ? "en" : "zh";
          for (const place of document.querySelectorAll("[data-t]")) {
            place.textContent = t(place.dataset.t);
          }
          if (state.model) showModel();
          if (state.effect) showEffect();
          showCases();
        }
        async function load() {
          state.model = await ask("/v1/model");
          state.effect = await ask("/v1/effect");
          state.minor = state.effect.report.minor_units;
          state.currency = state.effect.report.currency;
          const found = await ask("/v1/cases?limit=1000&state=" + $("state").value);
          state.cases = found.cases;
          state.chosen = found.cases.length
            ? Math.min(state.chosen || 0, found.cases.length - 1) : null;
          document.title = t("title") + " " + state.model.bank;
          $("login").hidden = true;
          showAll();
        }
        async function decide(verdict) {
          const found = state.chosen === null ? null : state.cases[state.chosen];
          if (!found) return;
          const reviewer = $("reviewer").value.trim();
          if (!reviewer) {
            $("reviewer").focus();
            say(t("need_reviewer"), true);
            return;
          }
          const kept = verdict === "confirmed_fraud"
            ? Math.round(Number($("kept").value) * state.minor) : 0;
          const answer = await ask("/v1/verdicts",
            { case: found.case, entity: found.entity, verdict, amount_kept: kept, reviewer },
            key());
          const reception = answer.verdicts[0].reception;
          await load();
          const row = $("rows").children[state.chosen === null ? 0 : state.chosen];
          if (row) row.focus();
          say(found.case + ": " + t(reception === "disputed" ? "disputed_now" : reception));
        }

        $("language").addEventListener("click", () => {
          state.language = state.language === "zh" ? "en" : "zh";
          localStorage.setItem("language", state.language);
          showAll();
        });
        $("reviewer").value = localStorage.getItem("reviewer") || "";
        $("reviewer").addEventListener("change", () =>
          localStorage.setItem("reviewer", $("reviewer").value.trim()));
        $("login").addEventListener("submit", event => {
          event.preventDefault();
          sessionStorage.setItem("token", $("token").value.trim());
          $("token").value = "";
          attempt(async () => { await load(); say(""); });
        });
        $("state").addEventListener("change", () => attempt(load));
        $("reload").addEventListener("click", () => attempt(load));
        $("make").addEventListener("click", () => attempt(async () => {
          const list = await ask("/v1/lists", { capacity: Number($("capacity").value) }, key());
          await load();
          say(t("made") + " " + list.entries.length);
        }));
        for (const button of document.querySelectorAll("[data-verdict]")) {
          button.addEventListener("click", () => attempt(() => decide(button.dataset.verdict)));
        }
        document.addEventListener("keydown", event => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
          const verdicts = { 1: "confirmed_fraud", 2: "false_alarm", 3: "unclear" };
          const chosen = state.chosen === null ? 0 : state.chosen;
          if (event.key === "ArrowDown" || event.key === "j") choose(chosen + 1, true);
          else if (event.key === "ArrowUp" || event.key === "k") choose(chosen - 1, true);
          else if (event.key === "r") attempt(load);
          else if (verdicts[event.key]) attempt(() => decide(verdicts[event.key]));
          else return;
          event.preventDefault();
        });
        showAll();
        attempt(load);
        """#
}
