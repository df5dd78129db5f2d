import { coloursOf } from './colours.js'

export const STYLE = `${coloursOf(':root')}
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; font: 16px/1.5 system-ui, sans-serif; background: var(--paper); color: var(--ink); }
h1 { margin: 0.5rem 0 0; }
h2 { margin: 3rem 0 0.5rem; padding-top: 1rem; border-top: 2px solid var(--faint); }
h3 { margin: 2rem 0 0.5rem; }
a { color: var(--met); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: 0.875rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; }
figcaption { margin: 1.5rem 0 0.5rem; font-weight: 600; }
.bars { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 0 2rem; align-items: start; }
.bars svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
summary { margin-top: 1.5rem; cursor: pointer; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid color-mix(in srgb, var(--faint) 30%, transparent); text-align: left; vertical-align: top; }
.number { text-align: right; }
`
