extension ReviewPage {
    /// The places that the script fills; texts are put in by `data-t`.
    static let markup = """
        <body>
        <header>
          <h1><span data-t="title"></span> <span id="bank"></span></h1>
          <span class="quiet"><span data-t="model"></span> <code id="version"></code></span>
          <span class="grow"></span>
          <label><span data-t="reviewer"></span> <input id="reviewer" size="12" maxlength="60"></label>
          <button id="language" type="button" lang="zh"></button>
        </header>
        <div id="status" role="status" aria-live="polite"></div>
        <form id="login" class="row" hidden>
          <label><span data-t="token"></span>
            <input id="token" type="password" autocomplete="off"></label>
          <button data-t="enter"></button>
        </form>
        <main>
          <div>
            <section aria-labelledby="cases-title">
              <h2 id="cases-title" data-t="cases"></h2>
              <div class="row">
                <label><span data-t="show"></span>
                  <select id="state">
                    <option value="open" data-t="open"></option>
                    <option value="decided" data-t="decided"></option>
                    <option value="all" data-t="all"></option>
                  </select></label>
                <button id="reload" type="button" data-t="reload"></button>
                <label><span data-t="capacity"></span>
                  <input id="capacity" type="number" min="1" max="100000" value="50"></label>
                <button id="make" type="button" data-t="make"></button>
              </div>
              <table>
                <thead><tr>
                  <th data-t="case"></th><th data-t="entity"></th>
                  <th class="number" data-t="probability"></th>
                  <th class="number" data-t="loss"></th>
                  <th data-t="slice"></th><th data-t="verdict"></th>
                </tr></thead>
                <tbody id="rows"></tbody>
              </table>
              <p id="none" class="quiet" data-t="none" hidden></p>
            </section>
          </div>
          <div>
            <section aria-labelledby="detail-title">
              <h2 id="detail-title" data-t="reasons"></h2>
              <p id="chosen" class="quiet"></p>
              <table><tbody id="reasons"></tbody></table>
              <div class="row" id="verdicts">
                <label><span data-t="kept"></span>
                  <input id="kept" type="number" min="0" step="any" value="0"></label>
              </div>
              <div class="row">
                <button type="button" data-verdict="confirmed_fraud" data-t="confirmed"
                  aria-keyshortcuts="1"></button>
                <button type="button" data-verdict="false_alarm" data-t="false_alarm"
                  aria-keyshortcuts="2"></button>
                <button type="button" data-verdict="unclear" data-t="unclear"
                  aria-keyshortcuts="3"></button>
              </div>
              <p class="quiet" data-t="keys"></p>
            </section>
            <section aria-labelledby="effect-title">
              <h2 id="effect-title" data-t="effect"></h2>
              <dl id="figures"></dl>
              <svg id="plot" width="100%" height="104" role="img"></svg>
            </section>
            <section aria-labelledby="model-title">
              <h2 id="model-title" data-t="models"></h2>
              <dl id="models"></dl>
            </section>
          </div>
        </main>
        </body>
        """
}
