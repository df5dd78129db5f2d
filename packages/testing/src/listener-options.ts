/** What a server of one's own takes that is one program and listens on one port. */
export function listenerOptions(program: string, example: string) {
  return {
    port: {
      kind: 'number',
      unit: 'port',
      min: 1,
      max: 65_535,
      optional: true,
      meaning: 'The port of 127.0.0.1 to listen on; a free one if left out.',
    },
    args: {
      kind: 'list',
      of: { kind: 'string', meaning: 'One argument.' },
      meaning: `More arguments of ${program}, such as ${example}; they overrule ours.`,
    },
  } as const
}
