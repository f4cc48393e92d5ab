import { Markup } from './markup.ts'

/** For screens, light and dark, and for paper. Colours differ in lightness too, for who sees no hue. */
export const pageStyle = new Markup(`
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5a6475; --paper: #fff; --card: #f5f7fa; --rule: #d5dbe5;
  --allowed: #2f7dc1; --would: #e0a21b; --denied: #a3202e; --warning: #fff1cf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf1; --dim: #a3adbd; --paper: #12161d; --card: #1b212b;
  --rule: #333c4a; --allowed: #6fb1ea; --would: #f0c04d; --denied: #f0616d; --warning: #4a3a10; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; } h2 { margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 2px solid var(--rule); }
h2 small { font-size: .7em; font-weight: normal; color: var(--dim); border: 1px solid var(--rule); border-radius: 1em; padding: .1em .7em; }
header p, caption, dt, .legend { color: var(--dim); } header p { margin: 0 0 1rem; }
.totals { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
.totals div { background: var(--card); border-radius: .5rem; padding: .5rem 1rem; min-width: 6rem; }
dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: var(--ink); } .end { text-anchor: end; }
svg line { stroke: var(--dim); } svg .guide { stroke: var(--rule); stroke-dasharray: 3 3; }
.allowed, .bar { fill: var(--allowed); background: var(--allowed); } .wouldDeny { fill: var(--would); background: var(--would); }
.denied { fill: var(--denied); background: var(--denied); }
.legend span { margin-right: 1.5rem; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: .2em; }
.scroll { overflow-x: auto; margin: 1.5rem 0; } table { border-collapse: collapse; width: 100%; font-size: .9em; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; color: var(--ink); }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--dim); white-space: nowrap; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { min-width: 12rem; }
pre { background: var(--card); padding: 1rem; border-radius: .5rem; overflow-x: auto; }
nav ul { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; list-style: none; padding: 0; } a { color: var(--allowed); }
.warning { background: var(--warning); padding: .75rem 1rem; border-radius: .5rem; }
:focus-visible { outline: 2px solid var(--allowed); outline-offset: 2px; }
@media print { :root { --ink: #000; --dim: #444; --paper: #fff; --card: #fff; --rule: #bbb; --allowed: #2f7dc1; --would: #e0a21b; --denied: #a3202e; --warning: #fff; }
  body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; } .scroll { overflow: visible; } tr, svg { break-inside: avoid; }
  .allowed, .bar, .denied, .wouldDeny { print-color-adjust: exact; -webkit-print-color-adjust: exact; } pre { white-space: pre-wrap; } }
`)
