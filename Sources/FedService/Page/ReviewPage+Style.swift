extension ReviewPage {
    /// The look: system fonts, light and dark, nothing that moves.
    static let style = """
        :root { color-scheme: light dark; --line: #8886; --accent: #0b57d0; --bad: #b3261e; }
        * { box-sizing: border-box; }
        body { margin: 0; font: 15px/1.5 system-ui, "Noto Sans SC", "Microsoft YaHei", sans-serif; }
        header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline;
          padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
        h1 { font-size: 1.15rem; margin: 0; }
        h2 { font-size: 1rem; margin: 0 0 .5rem; }
        header .grow { flex: 1; }
        main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(16rem, 2fr);
          gap: 1rem; padding: 1rem; }
        @media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } }
        section { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem;
          margin-bottom: 1rem; overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
          white-space: nowrap; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
        tbody tr { cursor: pointer; }
        tr[aria-selected="true"] { background: #0b57d022; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
        button, input, select { font: inherit; padding: .3rem .6rem; }
        button { cursor: pointer; }
        .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0; }
        .quiet { opacity: .75; }
        code { font-size: .85em; overflow-wrap: anywhere; white-space: normal; }
        .bar { fill: var(--accent); }
        svg text { fill: currentColor; font-size: 12px; }
        #status { min-height: 1.5em; padding: 0 1rem; }
        #status.bad { color: var(--bad); font-weight: 600; }
        dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0; }
        dd { margin: 0; }
        [hidden] { display: none !important; }
        """
}
