/** Where a command writes: results on `stdout`, progress and complaints on `stderr`. */
export interface Terminal {
  readonly stdout: Output
  readonly stderr: Output
}

export interface Output {
  write(text: string): unknown
  /** Whether somebody watches, so that lines may be drawn over. */
  readonly isTTY?: boolean
}

/** One command of `tandem`; a file of its name in `commands/`. */
export interface Command {
  readonly usage: string
  /**
   * Checks the arguments and returns what runs; nothing is started before that is called.
   *
   * @returns a run that resolves to the exit status, 0 or 1; it stops early and leaves nothing running once
   *   `signal` aborts.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: exit status 2.
   */
  prepare(args: readonly string[]): (terminal: Terminal, signal: AbortSignal) => Promise<number>
}
