/** Blue and orange are told apart by all eyes; what they say is said in words or by dashes, too. */
export const COLOURS = {
  paper: 'var(--paper)',
  ink: 'var(--ink)',
  faint: 'var(--faint)',
  met: 'var(--met)',
  missed: 'var(--missed)',
  plain: 'var(--plain)',
  phase: 'var(--phase)',
} as const

/** Lines of one panel, in this order. */
export const LINES = [
  { colour: COLOURS.met, dashes: 'none' },
  { colour: COLOURS.missed, dashes: '6 3' },
  { colour: 'var(--third)', dashes: '2 3' },
  { colour: 'var(--fourth)', dashes: '8 3 2 3' },
] as const

/** The CSS that gives them their values, by day and by night. */
export function coloursOf(selector: string): string {
  return `${selector} { ${values(DAY)} }
@media (prefers-color-scheme: dark) { ${selector} { ${values(NIGHT)} } }
`
}

function values(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ')
}

const DAY = {
  paper: '#ffffff',
  ink: '#1f2430',
  faint: '#6b7280',
  met: '#0b69b0',
  missed: '#d55e00',
  plain: '#8d95a3',
  third: '#00805f',
  fourth: '#a3478a',
  phase: '#e9c46a',
}
const NIGHT = {
  paper: '#14171d',
  ink: '#e6e8ec',
  faint: '#9aa1ad',
  met: '#58b0ea',
  missed: '#f0963c',
  plain: '#79818f',
  third: '#3fc79a',
  fourth: '#dd8fc6',
  phase: '#8f7030',
}
