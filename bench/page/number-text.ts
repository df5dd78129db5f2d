/** To three digits, as rounded figures are; what is no number is a dash. */
export function numberText(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString('en', { maximumSignificantDigits: 3 }) : '–'
}
