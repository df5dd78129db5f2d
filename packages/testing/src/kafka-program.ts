/** How a program of Kafka's is run here: a broker, a tool, a mirror. */
import { join } from 'node:path'
import type { ServiceCommand } from './service.js'

export interface KafkaProgram {
  readonly java: string
  /** The folder with its jars. */
  readonly jars: string
  readonly heapBytes: number
  /** A file with `KAFKA_LOGGING`. */
  readonly loggingFile: string
}

export function kafkaCommand(program: KafkaProgram, main: string, ...args: readonly string[]): ServiceCommand {
  const { java, jars, heapBytes, loggingFile } = program
  return {
    command: java,
    arguments: [
      `-Xmx${Math.ceil(heapBytes / 1024)}k`,
      // For a JVM that starts often, lives for a minute and shares two cores with its clients.
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:-UsePerfData',
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${loggingFile}`,
      '-cp',
      join(jars, '*'),
      main,
      ...args,
    ],
  }
}

export const KAFKA_LOGGING = `
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`

export function propertiesText(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}
