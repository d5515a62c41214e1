/// The style sheet of the report; it names no font, picture or address outside of the document.
enum HTMLStyle {
    static let sheet = """
        :root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --page: #ffffff;
          --panel: #f4f6f9; --line: #d5dbe3; --local: #8a94a3; --federated: #1f6fb5;
          --combined: #0a7d5a; --up: #0a6b4c; --down: #b3261e; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a3afbf;
          --page: #14181f; --panel: #1d232d; --line: #38424f; --local: #8e99a9;
          --federated: #5aa9ec; --combined: #3fc795; --up: #5fd6a8; --down: #ff8a80; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
        main { max-width: 1040px; margin: 0 auto; padding: 28px 22px 48px; }
        h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
        h2 { font-size: 1.15rem; margin: 36px 0 10px; }
        h3 { font-size: 0.95rem; margin: 0 0 6px; }
        .lead, .note, small { color: var(--soft); }
        .lead { margin: 0 0 18px; }
        .note { font-size: 0.87rem; margin: 8px 0 0; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr));
          gap: 12px; }
        .card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
          padding: 14px 16px; }
        .card strong { display: block; font-size: 1.6rem; line-height: 1.25; }
        .card span, .card small { display: block; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
          gap: 14px 12px; }
        .charts.wide { grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); }
        figure { margin: 0; break-inside: avoid; }
        figcaption { font-weight: 600; margin-bottom: 4px; }
        .charts svg { width: 100%; height: auto; display: block; max-width: 300px; }
        .charts.wide figure { overflow-x: auto; }
        svg text { fill: var(--soft); font-size: 11px; }
        svg text.end { text-anchor: end; }
        svg text.middle { text-anchor: middle; }
        svg text.gain { text-anchor: middle; fill: var(--ink); font-weight: 600;
          stroke: var(--page); stroke-width: 4px; paint-order: stroke; }
        .grid { stroke: var(--line); stroke-width: 1; fill: none; }
        .bar.local { fill: var(--local); }
        .bar.federated { fill: var(--federated); }
        .bar.combined { fill: var(--combined); }
        .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        .curve.local { stroke: var(--local); stroke-dasharray: 2 3; }
        .curve.federated { stroke: var(--federated); stroke-dasharray: 7 3; }
        .curve.combined { stroke: var(--combined); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0 0 12px;
          font-size: 0.9rem; }
        .legend svg { vertical-align: -1px; }
        .scroll { overflow-x: auto; margin-bottom: 18px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
          font-size: 0.9rem; }
        caption { text-align: left; font-weight: 600; padding-bottom: 6px; }
        th, td { padding: 4px 8px; text-align: right; vertical-align: top; white-space: nowrap; }
        th.text, tbody th { text-align: left; }
        tbody th { font-weight: 500; }
        thead th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
        tbody + tbody tr:first-child > *, tr.total > * { border-top: 1px solid var(--line); }
        th[scope="rowgroup"] { white-space: normal; overflow-wrap: anywhere; min-width: 9em; }
        th[scope="rowgroup"] small { display: block; font-weight: 400; }
        th[scope="rowgroup"], tr.total > *, tbody:last-child tr.combined > td {
          font-weight: 700; }
        td.up { color: var(--up); font-weight: 600; }
        td.down { color: var(--down); font-weight: 600; }
        td.even { color: var(--soft); }
        .boundary { display: grid; grid-template-columns: 1fr auto 1fr auto 1fr; gap: 10px; }
        .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
          padding: 14px 16px; border-top-width: 4px; break-inside: avoid; }
        .panel.stays { border-top-color: var(--combined); }
        .panel.leaves { border-top-color: var(--federated); }
        .panel.readable { border-top-color: var(--local); }
        .panel ul { margin: 0; padding-left: 18px; font-size: 0.9rem; }
        .arrow { align-self: center; font-size: 1.6rem; color: var(--soft); }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0;
          font-size: 0.9rem; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; }
        @media screen and (max-width: 760px) { .boundary { grid-template-columns: 1fr; }
          .arrow { justify-self: center; transform: rotate(90deg); }
          dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; } }
        @media print { :root { --ink: #000; --soft: #444; --page: #fff; --panel: #fff;
            --line: #bbb; --local: #999; --federated: #1f6fb5; --combined: #0a5c42;
            --up: #0a5c42; --down: #a3211a; }
          body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          main { max-width: none; padding: 0; } h2 { break-after: avoid; margin-top: 22px; }
          .scroll { overflow: visible; } tbody, .cards { break-inside: avoid; }
          th, td { padding: 2px 6px; } .charts { grid-template-columns: repeat(3, 1fr); }
          .charts.wide { grid-template-columns: repeat(2, 1fr); }
          .charts.wide svg { min-width: 0 !important; } }

        """
}
