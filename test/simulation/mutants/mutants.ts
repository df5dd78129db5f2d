import type { Mutant } from './mutant.js'

const INTERVALS = 'common/dist/intervals.js'
const ARBITER = 'consumer/dist/core/arbiter.js'
const FEED = 'consumer/dist/core/feed.js'
const HOLE = 'consumer/dist/core/hole.js'
const STREAM = 'consumer/dist/core/stream.js'
const PARTITION = 'consumer/dist/partition.js'
const CONSUMER = 'consumer/dist/consumer.js'
const SEQUENCE = 'consumer/dist/core/sequence.js'
const FLUSH_PLAN = 'consumer/dist/core/flush-plan.js'
const STORE = 'consumer/dist/high-water/stored-record.js'
const MEMORY = 'consumer/dist/high-water/memory-high-water-store.js'
const QUESTIONS = 'consumer/dist/kafka/questions.js'
const POLLING_CLOCK = 'consumer/dist/core/polling-clock.js'
const LEASE = 'consumer/dist/core/lease.js'
const LEASES = 'consumer/dist/leases.js'
const SHARES = 'consumer/dist/core/shares.js'
const TRACK = 'producer/dist/core/track.js'
const SETTLEMENT = 'producer/dist/core/settlement.js'
const APPENDER = 'producer/dist/core/appender.js'
const PIPELINE = 'producer/dist/pipeline.js'
const IMPORT_LINK = 'producer/dist/import-link.js'
const LOOKUP = 'producer/dist/core/lookup.js'
const LETTER_IMPORT = 'producer/dist/letter-import.js'
const LANE = 'producer/dist/core/lane.js'
const KEY_ORDER = 'consumer/dist/core/key-order.js'
const IN_KEY_ORDER = 'consumer/dist/operators/in-key-order.js'

/** The bugs that the simulator has to find, in the order of the rules. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'naive-high-water',
    scenario: 'hole-filled',
    meaning: 'delivers whatever comes and drops what is at or below the highest',
    seed: 1,
    edits: [
      {
        file: ARBITER,
        text: '!sequence.begun || piece.first > sequence.frontier + 1',
        replacement: '!sequence.begun',
      },
      {
        file: ARBITER,
        text: 'this.#deliver(stream, sequence, { ...piece, last }, true);',
        replacement: '',
      },
    ],
  },
  {
    name: 'debt-dropped',
    scenario: 'written-after-gap',
    meaning: 'drops what turns up after delivery went past it',
    seed: 3,
    edits: [
      {
        file: ARBITER,
        text: 'this.#deliver(stream, sequence, { ...piece, last }, true);',
        replacement: '',
      },
    ],
  },
  {
    name: 'duplicate-not-dropped',
    scenario: 'data-then-void',
    meaning: 'delivers what the other feed brought before',
    seed: 1,
    edits: [
      { file: ARBITER, text: 'if (sequence.delivered.covers(first, last)) {', replacement: 'if (false) {' },
      { file: ARBITER, text: 'if (sequence.delivered.nextFrom(first) > last) {', replacement: 'if (true) {' },
    ],
  },
  {
    name: 'data-after-void-believed',
    scenario: 'void-then-data',
    meaning: 'believes data behind a void of the same feed',
    seed: 441,
    edits: [
      {
        file: ARBITER,
        text: 'for (const [from, to] of sequence.voids[feed].missing(first, last)) {',
        replacement: 'for (const [from, to] of [[first, last]]) {',
      },
    ],
  },
  {
    name: 'void-over-data',
    scenario: 'data-then-void',
    meaning: 'a void takes back what the same feed brought before',
    seed: 77,
    edits: [
      {
        file: ARBITER,
        text: 'for (const [from, to] of sequence.held[feed].without(open.first, open.last))',
        replacement: 'for (const [from, to] of [[open.first, open.last]])',
      },
    ],
  },
  {
    name: 'one-void-rejects',
    scenario: 'exact-voids',
    meaning: 'takes for rejected what one feed alone has voided',
    seed: 2,
    edits: [
      {
        file: ARBITER,
        text: 'if (mine !== undefined && theirs !== undefined)',
        replacement: 'if (mine !== undefined || theirs !== undefined)',
      },
    ],
  },
  {
    name: 'voids-forgotten',
    scenario: 'void-remembered',
    meaning: 'forgets at a restart what was voided and rejected',
    seed: 669,
    edits: [
      {
        file: ARBITER,
        text: 'sequence.voids[index].add(first, last, offset, 0);',
        replacement: ';',
      },
      { file: SEQUENCE, text: 'this.rejected = stored?.rejected ??', replacement: 'this.rejected =' },
    ],
  },
  {
    name: 'end-not-asked',
    scenario: 'silent-end',
    meaning: 'takes a feed for past a hole without having asked for its end',
    seed: 8,
    edits: [{ file: HOLE, text: 'feed.end.reachedAfter(seenStep) ?? Infinity', replacement: '0' }],
  },
  {
    name: 'end-asked-too-early',
    scenario: 'stale-end',
    meaning: 'takes an end for proof that was asked for before the hole was seen',
    seed: 63,
    edits: [{ file: HOLE, text: 'feed.end.reachedAfter(seenStep)', replacement: 'feed.end.reachedAfter(-2)' }],
  },
  {
    name: 'passes-what-is-held',
    scenario: 'many-holes',
    meaning: 'goes past all holes at once, and past what is held between them',
    seed: 3,
    edits: [
      {
        file: ARBITER,
        text: 'this.#goPast(stream, sequence, verdict.to);',
        replacement: 'this.#goPast(stream, sequence, sequence.sightings.high - 1);',
      },
    ],
  },
  {
    name: 'first-sight-believed',
    scenario: 'first-sight',
    meaning: 'begins a newer epoch without waiting for the other feed',
    seed: 492,
    edits: [
      {
        file: HOLE,
        text: 'if (missing.length === 0)',
        replacement: 'if (true)',
      },
    ],
  },
  {
    name: 'newer-epoch-speaks-for-both',
    scenario: 'only-other-log',
    meaning: 'takes both feeds for past a hole when one has shown a newer epoch',
    seed: 625,
    edits: [
      {
        file: HOLE,
        text: 'const newer = stream.epochsOf[index].beyond(sequence.epoch);',
        replacement:
          'const newer = stream.epochsOf[0].beyond(sequence.epoch) ?? stream.epochsOf[1].beyond(sequence.epoch);',
      },
    ],
  },
  {
    name: 'older-held-forgotten',
    scenario: 'older-held',
    meaning: 'begins a newer sequence while something of an older one is held',
    seed: 104,
    edits: [
      {
        file: HOLE,
        text: 'if (older.epoch < sequence.epoch && (!older.begun || older.holds))',
        replacement: 'if (older.epoch < sequence.epoch && !older.begun)',
      },
    ],
  },
  {
    name: 'older-sequences-forgotten',
    scenario: 'two-producers',
    meaning: 'keeps the two newest sequences of a stream, whoever else is still writing',
    seed: 1,
    edits: [
      {
        file: STREAM,
        text: 'this.sequences.splice(at, 0, sequence);',
        replacement:
          'this.sequences.splice(at, 0, sequence); this.sequences.splice(0, Math.max(0, this.sequences.length - 2));',
      },
    ],
  },
  {
    name: 'starts-where-it-sees',
    scenario: 'rewritten-start',
    meaning: 'takes the first counter that it sees of a sequence for the first one that is owed',
    seed: 6,
    edits: [
      {
        file: ARBITER,
        text: 'if (sequence.begun && (this.#bornInMidst || sequence.reopened))',
        replacement: 'if (true)',
      },
    ],
  },
  {
    name: 'begin-waits-without-end',
    scenario: 'answering-but-slow',
    meaning: 'a sequence that is just beginning waits for a feed however long that takes',
    seed: 34,
    edits: [
      {
        file: HOLE,
        text: 'const until = firstSeen.time + rules.holeTimeoutMs;',
        replacement: 'const until = Infinity;',
      },
    ],
  },
  {
    name: 'impatient',
    scenario: 'slow-answers',
    meaning: 'waits for no answer any longer than a broker takes that is well',
    seed: 8,
    edits: [
      {
        file: QUESTIONS,
        text: 'const PATIENCE_MS_MAX = 4_000;',
        replacement: 'const PATIENCE_MS_MAX = PATIENCE_MS_MIN;',
      },
    ],
  },
  {
    name: 'takes-turns',
    scenario: 'slow-answers',
    meaning: 'asks about one partition after the other',
    seed: 220_000_712,
    edits: [
      {
        file: QUESTIONS,
        text: 'const taken = [...found.values()].slice(0, Math.ceil(found.size * part));',
        replacement: 'const taken = [...found.values()].slice(0, 1);',
      },
    ],
  },
  {
    name: 'waits-add-up',
    scenario: 'answering-but-slow',
    meaning: 'waits for a feed anew each time that it was waited for in vain',
    seed: 1,
    edits: [
      {
        file: FEED,
        text: 'if (this.#discountedAt !== undefined && this.end.reachedAfter(this.#discountedAt) !== undefined) {',
        replacement: 'if (feed.discountedAt !== undefined) {',
      },
    ],
  },
  {
    name: 'begins-at-the-end',
    scenario: 'latest-birth',
    meaning: 'with latest, a feed begins at the end that it finds and not where the group was born',
    seed: 77,
    edits: [
      {
        file: PARTITION,
        text: 'client.queryTime(this, this.#bornMs, begin);',
        replacement: 'client.queryEnd(this, begin);',
      },
    ],
  },
  {
    name: 'older-epoch-dropped',
    scenario: 'zombie',
    meaning: 'drops what comes of an older epoch',
    seed: 1,
    edits: [
      {
        file: ARBITER,
        text: 'this.#goPast(stream, sequence, piece.first - 1);\n',
        replacement: 'return;\n',
      },
    ],
  },
  {
    name: 'clock-runs-while-full',
    scenario: 'paused-by-us',
    meaning: 'the clocks of away, gap and hole run on while we do not poll',
    seed: 8,
    edits: [
      { file: POLLING_CLOCK, text: 'if (this.#running) {', replacement: '{' },
      {
        file: POLLING_CLOCK,
        text: 'Math.min(passed, meantToSleep + this.stepMsMax)',
        replacement: 'passed',
      },
    ],
  },
  {
    name: 'stall-is-evidence',
    scenario: 'paused-by-us',
    meaning: 'a stop of our own process counts as silence of the feeds',
    seed: 8,
    edits: [
      {
        file: POLLING_CLOCK,
        text: 'Math.min(passed, meantToSleep + this.stepMsMax)',
        replacement: 'passed',
      },
    ],
  },
  {
    name: 'held-without-bound',
    scenario: 'crossed-bounds',
    meaning: 'reads on from a feed that leads by more than may be held',
    seed: 94,
    edits: [
      {
        file: FEED,
        text: 'if (this.heldMessages >= heldMessagesMax || this.heldBytes >= heldBytesMax)',
        replacement: 'if (false)',
      },
    ],
  },
  {
    name: 'paused-at-the-bound',
    scenario: 'scan-behind',
    meaning: 'a feed waits at its bound, though what is missing lies behind it in its own log',
    seed: 2706,
    edits: [{ file: ARBITER, text: 'const otherIndex = index === 0 ? 1 : 0;', replacement: 'return true;' }],
  },
  {
    name: 'scanned-is-passed',
    scenario: 'scan-behind',
    meaning: 'goes past what it has read without the payloads',
    seed: 7,
    edits: [
      { file: HOLE, text: ', sequence.scanned[index].nextFrom(hole) - 1', replacement: '' },
      { file: ARBITER, text: 'sequence.scanned[feed].has(sequence.frontier + 1)', replacement: 'false' },
      {
        file: ARBITER,
        text: 'if (sequence.scanned[feed].nextFrom(1) <= sequence.frontier + 1)',
        replacement: 'if (false)',
      },
    ],
  },
  {
    name: 'scanned-is-voided',
    scenario: 'scan-crash',
    meaning: 'a void counts before the data that the same log had brought, if its payload was dropped meanwhile',
    seed: 1902,
    edits: [
      {
        file: ARBITER,
        text: 'of sequence.scanned[feed].missing(from, to))',
        replacement: 'of [{ first: from, last: to }])',
      },
    ],
  },
  {
    name: 'resumes-past-scanned',
    scenario: 'scan-crash',
    meaning: 'stores an offset beyond what it has read without the payloads',
    seed: 8093,
    edits: [
      {
        file: FEED,
        text: 'return this.open.resumeOffset(this.scansFrom ?? this.nextOffset);',
        replacement: 'return this.open.resumeOffset(this.nextOffset);',
      },
    ],
  },
  {
    name: 'silence-trusted',
    scenario: 'refilled-tail',
    meaning: 'reads on where it was, whatever may have happened to the log',
    seed: 3,
    edits: [
      {
        file: FEED,
        text: 'if (this.#check !== undefined || this.nextOffset < 0)',
        replacement: 'if (true)',
      },
      {
        file: FEED,
        text: 'const check = new LogCheck(log.marks, log);',
        replacement: 'const check = new LogCheck([], log);',
      },
    ],
  },
  {
    name: 'strict-begins-without',
    scenario: 'strict-away-epoch',
    meaning: 'with strict, a newer epoch begins without the word of a feed that is away',
    seed: 58,
    edits: [
      {
        file: HOLE,
        text: "if (rules.order === 'late' && !feeds[index].live)\n            return false;",
        replacement: 'if (!feeds[index].live) return false;',
      },
    ],
  },
  {
    name: 'strict-passes',
    scenario: 'strict-away-epoch',
    meaning: 'with strict, goes past a hole that every feed has read beyond',
    seed: 6,
    edits: [
      {
        file: HOLE,
        text: "if (word.since === undefined || rules.order === 'strict')",
        replacement: 'if (word.since === undefined)',
      },
    ],
  },
  {
    name: 'skip-leaves-held',
    scenario: 'strict-away-epoch',
    meaning: 'where an operator has a newer epoch begin, forgets what is held of an older one',
    seed: 7533,
    edits: [{ file: ARBITER, text: 'this.#releaseHeld(stream, older);', replacement: ';' }],
  },
  {
    name: 'newer-stored',
    scenario: 'strict-crash',
    meaning: 'stores what is finished of a newer epoch while something of an older one is in flight',
    seed: 220_000_382,
    edits: [{ file: STREAM, text: 'sequence.storable = !olderInFlight;', replacement: 'sequence.storable = true;' }],
  },
  {
    name: 'debt-closed-at-delivery',
    scenario: 'late-in-flight',
    meaning: 'takes a late message for finished when it is delivered',
    seed: 99,
    edits: [
      {
        file: ARBITER,
        text: 'sequence.lateInFlight.add(first, last);',
        replacement: 'sequence.lateInFlight.add(first, last); sequence.finished.add(first, last);',
      },
    ],
  },
  {
    name: 'resumes-past-in-flight',
    scenario: 'strict-crash',
    meaning: 'stores an offset beyond what is delivered and not acknowledged',
    seed: 8,
    edits: [
      {
        file: SEQUENCE,
        text: 'if (this.finished.covers(first, last))\n            return true;',
        replacement: 'if (this.delivered.covers(first, last)) return true;',
      },
    ],
  },
  {
    name: 'resumes-past-void',
    scenario: 'void-remembered',
    meaning: 'stores an offset beyond a void that is not stored yet',
    seed: 177,
    edits: [
      {
        file: ARBITER,
        text: 'this.feeds[feed].handleOpen({ offset, sequence, first, last });\n        const own',
        replacement: 'const own',
      },
    ],
  },
  {
    name: 'finished-forgotten',
    scenario: 'stuck-handler',
    meaning: 'forgets at a restart what was finished beyond the first that is not',
    seed: 1,
    edits: [
      {
        file: SEQUENCE,
        text: 'this.delivered = this.finished.clone();',
        replacement: 'this.delivered = new Intervals();',
      },
    ],
  },
  {
    name: 'frontier-past-in-flight',
    scenario: 'frontier-in-flight',
    meaning: 'stores a frontier beyond what is delivered and not acknowledged',
    seed: 8,
    edits: [{ file: SEQUENCE, text: 'if (this.inOrderInFlight === 0)', replacement: 'if (true)' }],
  },
  {
    name: 'lost-store-not-told',
    scenario: 'store-emptied',
    meaning: 'goes on with parts after the store forgot, instead of the whole position',
    seed: 4,
    edits: [{ file: FLUSH_PLAN, text: 'this.#whole = true;', replacement: ';' }],
  },
  {
    name: 'unstamped-not-kept',
    scenario: 'unstamped',
    meaning: 'does not read again what has no stamp and was in hands',
    seed: 525,
    edits: [{ file: ARBITER, text: 'if (!sequence.finished.has(counter)) {', replacement: 'if (false) {' }],
  },
  {
    name: 'unstamped-not-known',
    scenario: 'unstamped',
    meaning: 'delivers what has no stamp each time that it is read',
    seed: 111,
    edits: [{ file: ARBITER, text: 'if (sequence.delivered.has(counter))', replacement: 'if (false)' }],
  },
  {
    name: 'forgotten-too-soon',
    scenario: 'reopened',
    meaning: 'forgets what both logs have lost, though it may be written late',
    seed: 153,
    edits: [{ file: ARBITER, text: '!begun || lastSeenMs >= sinceMs', replacement: '!begun' }],
  },
  {
    name: 'forgotten-by-one-log',
    scenario: 'reopened',
    meaning: 'forgets what one log has lost, though the other one has it',
    seed: 70,
    edits: [
      {
        file: ARBITER,
        text: 'return FEEDS.every((index) => lastOffsets[index] < Math.min(starts[index]',
        replacement: 'return FEEDS.some((index) => lastOffsets[index] < Math.min(starts[index]',
      },
    ],
  },
  {
    name: 'compared-in-the-midst',
    scenario: 'unstamped',
    meaning: 'after standing still, compares a log with what it had in hand from elsewhere in it',
    seed: 266,
    edits: [
      {
        file: CONSUMER,
        text: 'const touched = new Set(this.#lookAtStall(time));',
        replacement: 'const touched = new Set([...this.#lookAtStall(time)].map((one) => (one.carryOut(time), one)));',
      },
    ],
  },
  {
    name: 'booked-not-known',
    scenario: 'booked',
    meaning: 'delivers again what was booked, and no flush knows of',
    seed: 2,
    edits: [{ file: PARTITION, text: 'checkFinished(holding.booked ?? [])', replacement: '[]' }],
  },
  {
    name: 'frame-finished-whole',
    scenario: 'framed',
    meaning: 'finishes all of a frame when one of its messages is acknowledged',
    seed: 220_001_230,
    edits: [
      {
        file: PARTITION,
        text: 'this.#arbiter.handleFinished(cause, counter, counter + count - 1);',
        replacement: 'this.#arbiter.handleFinished(cause, cause.first, cause.last);',
      },
    ],
  },
  {
    name: 'frame-from-its-first',
    scenario: 'framed',
    meaning: 'delivers the messages of a frame from its first on, whatever of it is due',
    seed: 11,
    edits: [
      {
        file: PARTITION,
        text: 'record.messages[counter - record.first]',
        replacement: 'record.messages[counter - first]',
      },
    ],
  },
  {
    name: 'frame-known-by-its-first',
    scenario: 'framed',
    meaning: 'takes a frame for known when its first message is',
    seed: 76,
    edits: [
      {
        file: ARBITER,
        text: 'sequence?.delivered.covers(stamp.first, stamp.first + stamp.count - 1) === true',
        replacement: 'sequence?.delivered.has(stamp.first) === true',
      },
    ],
  },
  {
    name: 'frame-in-the-midst',
    scenario: 'framed',
    meaning: 'loses its place among the open messages of a frame while it delivers them',
    seed: 400_006_885,
    edits: [
      {
        file: INTERVALS,
        text: 'missing(first, last) {\n        const parts = [];',
        replacement: '*missing(first, last) {',
      },
      {
        file: INTERVALS,
        text: 'parts.push({ first: next, last: this.#firsts[i] - 1 });',
        replacement: 'yield { first: next, last: this.#firsts[i] - 1 };',
      },
      {
        file: INTERVALS,
        text: 'parts.push({ first: next, last });\n        return parts;',
        replacement: 'yield { first: next, last };',
      },
    ],
  },
  {
    name: 'gathered-uncounted',
    scenario: 'framed',
    meaning: 'does not count what waits for a record when it asks whether the disk has room',
    seed: 3775,
    edits: [{ file: PIPELINE, text: 'this.#appender.crowdedWith(gathered)', replacement: 'this.#appender.crowded' }],
  },
  {
    name: 'read-ahead-believed',
    scenario: 'refilled-tail',
    meaning: 'after a silence, believes what was read ahead before it, if nothing is there to be compared',
    seed: 300_061_206,
    edits: [{ file: FEED, text: 'if (!this.seeking)\n            this.#seek(this.nextOffset);', replacement: ';' }],
  },
  {
    name: 'read-is-committed',
    scenario: 'cold-emptied',
    meaning: 'commits how far was read, and begins there',
    seed: 15,
    edits: [
      {
        file: PARTITION,
        text: 'this.#host.handleConfirmed(feed, this.#at(resumeOffsets[feed]));',
        replacement: 'this.#host.handleConfirmed(feed, this.#at(Math.max(0, this.#arbiter.feeds[feed].nextOffset)));',
      },
      {
        file: PARTITION,
        text: 'begin(Math.max(start, Math.min(offset, from - REWIND_RECORDS_LEAST)));',
        replacement: 'begin(from);',
      },
    ],
  },
  {
    name: 'commit-trusted',
    scenario: 'double-disaster',
    meaning: 'begins at a commit, whatever stands before it now',
    seed: 88,
    edits: [
      {
        file: PARTITION,
        text: 'begin(Math.max(start, Math.min(offset, from - REWIND_RECORDS_LEAST)));',
        replacement: 'begin(from);',
      },
    ],
  },
  {
    name: 'rollback-not-noticed',
    scenario: 'store-rollback',
    meaning: 'the store takes a part on top of a position that lost what was confirmed',
    seed: 4222,
    edits: [{ file: STORE, text: 'record.number < confirmed && !whole', replacement: 'false' }],
  },
  {
    name: 'rollback-in-peace',
    scenario: 'store-rollback',
    meaning: 'a holder that flushes nothing does not notice that the store lost what was confirmed',
    seed: 115150,
    edits: [{ file: LEASES, text: 'renewed.number < confirmed', replacement: 'false' }],
  },
  {
    name: 'flush-without-number',
    scenario: 'late-flush',
    meaning: 'the store carries out a flush after a later one',
    seed: 91352,
    edits: [{ file: STORE, text: 'if (number < record.number)', replacement: 'if (false)' }],
  },
  {
    name: 'no-fence',
    scenario: 'stopped-holder',
    meaning: 'the store takes a flush of a holder that was superseded',
    seed: 43,
    edits: [{ file: STORE, text: 'if (token < record.token)', replacement: 'if (false)' }],
  },
  {
    name: 'trusted-from-the-answer',
    scenario: 'stopped-holder',
    meaning: 'trusts a lease from when its renewal was answered, not from when it was sent',
    seed: 8470,
    edits: [{ file: LEASE, text: 'state.proven = sent;', replacement: 'state.proven = at;' }],
  },
  {
    name: 'begins-unlooked',
    scenario: 'stopped-holder',
    meaning: 'a handler begins without a look at the lease',
    seed: 4069,
    edits: [{ file: IN_KEY_ORDER, text: 'return !delivery.signal.aborted;', replacement: 'return true;' }],
  },
  {
    name: 'reach-of-both-wanted',
    scenario: 'split-reach',
    meaning: 'who does not read both clusters holds nothing, though nobody does',
    seed: 77,
    edits: [
      {
        file: SHARES,
        text: 'const most = Math.max(...readers.map((id) => this.#readsOf(id).length));',
        replacement: 'const most = this.#options.clusters.length;',
      },
    ],
  },
  {
    name: 'plain-fair-shares',
    scenario: 'odd-shares',
    meaning: 'asks for a partition of one that has one more',
    seed: 34,
    edits: [{ file: SHARES, text: 'const FEWER = 2;', replacement: 'const FEWER = 1;' }],
  },
  {
    name: 'taken-unseen',
    scenario: 'odd-shares',
    meaning: 'the store gives a lease that is not as it was seen',
    seed: 3,
    edits: [{ file: STORE, text: 'if (!isSameLease(lease, claim.seen))', replacement: 'if (false)' }],
  },
  {
    name: 'blind-takes',
    scenario: 'blind-instance',
    meaning: 'who reads less than others takes partitions, and keeps them',
    seed: 15,
    edits: [
      {
        file: SHARES,
        text: 'if (this.#reads.length === 0 || !able.includes(instance))',
        replacement: 'if (false)',
      },
      { file: SHARES, text: 'if (able.includes(instance)) {', replacement: 'if (true) {' },
    ],
  },
  {
    name: 'store-clock-decides',
    scenario: 'clock-failover',
    meaning: 'a lease ends when the clock of the store says so',
    seed: 67,
    edits: [
      {
        file: MEMORY,
        text: 'return Promise.resolve(leaseOf(this.#records.get(keyOf(partition))));',
        replacement:
          'return Promise.resolve({ ...leaseOf(this.#records.get(keyOf(partition))), storeMs: this.#clock.wall() });',
      },
      {
        file: MEMORY,
        text: 'renew(this.#records.get(keyOf(partition)), renewal);',
        replacement: 'renew(this.#records.get(keyOf(partition)), { ...renewal, beat: this.#clock.wall() });',
      },
      {
        file: MEMORY,
        text: 'const record = acquire(known, claim, this.#clock.wall());',
        replacement:
          'const taken = acquire(known, claim, this.#clock.wall()); const record = taken && { ...taken, beat: this.#clock.wall() };',
      },
      {
        file: LEASE,
        text: 'const forMs = now - state.sinceMs - this.#waitMs(state.seen);',
        replacement:
          "const forMs = (state.seen.owner !== '' && state.seen.storeMs ? state.seen.storeMs - state.seen.beat : now - state.sinceMs) - this.#waitMs(state.seen);",
      },
    ],
  },
  {
    name: 'lapse-ignored',
    scenario: 'one-cut-off',
    meaning: 'delivers on when the lease could not be renewed',
    seed: 2,
    edits: [
      {
        file: LEASE,
        text: 'this.#trustMs = options.leaseMs * (1 - DRIFT) - GUARD_MS;',
        replacement: 'this.#trustMs = Infinity;',
      },
    ],
  },
  {
    name: 'taken-too-early',
    scenario: 'one-cut-off',
    meaning: 'takes what has stood still for half a lease',
    seed: 3886,
    edits: [
      {
        file: LEASE,
        text: "if (owner !== '')\n            return leaseMs;",
        replacement: "if (owner !== '') return leaseMs / 2;",
      },
    ],
  },
  {
    name: 'silent-believed',
    scenario: 'one-cut-off',
    meaning: 'looks at nothing that somebody says to hold, whether or not he is heard from',
    seed: 6253,
    edits: [
      {
        file: SHARES,
        text: 'return holder === undefined || now - holder.sinceMs > HEARD_BEATS * beatMs(this.#options.leaseMs);',
        replacement: 'return holder === undefined;',
      },
    ],
  },
  {
    name: 'hollow-believed',
    scenario: 'leaderless',
    meaning: 'believes an acknowledgement without an offset',
    seed: 147,
    edits: [{ file: TRACK, text: 'if (offset < 0) {', replacement: 'if (false) {' }],
  },
  {
    name: 'refusal-taken-for-done',
    scenario: 'refused-for-good',
    meaning: 'counts what a cluster refused for good as written there',
    seed: 1,
    edits: [
      {
        file: TRACK,
        text: "this.#finish(write, 'refused');",
        replacement: '{ this.#acknowledge(write, 0); return; }',
      },
    ],
  },
  {
    name: 'doubt-voided',
    scenario: 'crash-in-outage',
    meaning: 'voids what is in doubt, as if it had been refused for good',
    seed: 200_001_298,
    edits: [
      { file: TRACK, text: "case 'transient':\n            case 'fatal':", replacement: "case 'fatal':" },
      {
        file: TRACK,
        text: "case 'refused':\n                this",
        replacement: "case 'transient': case 'refused':\n                this",
      },
    ],
  },
  {
    name: 'doubt-denied',
    scenario: 'import',
    meaning: 'says not-written of what a client had',
    seed: 1,
    edits: [
      {
        file: SETTLEMENT,
        text: "perhaps ? 'unknown' : 'not-written'",
        replacement: "'not-written'",
      },
    ],
  },
  {
    name: 'journal-last',
    scenario: 'journal-first',
    meaning: 'writes records of its own before what an earlier life left, or what was put on disk before them',
    seed: 15899,
    edits: [
      {
        file: TRACK,
        text: 'if (!this.#isOnDisk && this.#tail.size === 0',
        replacement: 'if (this.#tail.size === 0',
      },
    ],
  },
  {
    name: 'accepted-before-disk',
    scenario: 'accepted-on-disk',
    meaning: 'takes for on disk what is on its way there',
    seed: 74,
    edits: [
      {
        file: SETTLEMENT,
        text: "this.#journalCounts && record.journal === 'durable'",
        replacement: "this.#journalCounts && record.journal !== 'none'",
      },
      {
        file: PIPELINE,
        text: 'this.#appender.handleRecord(record, ofLanes.has(record));',
        replacement:
          '{ this.#appender.handleRecord(record, ofLanes.has(record)); this.#settlement.handleJournaled(record); }',
      },
    ],
  },
  {
    name: 'disk-doubt-denied',
    scenario: 'disk-gone',
    meaning: 'says not-written of what a failed append may have left on disk',
    seed: 11,
    edits: [{ file: APPENDER, text: 'record.perhapsJournaled ||= inDoubt;', replacement: ';' }],
  },
  {
    name: 'full-though-spare',
    scenario: 'read-back-and-hung',
    meaning: 'stops admission while a lane is over its bound, though it could let go of what it holds',
    seed: 6083,
    edits: [
      {
        file: LANE,
        text: 'return over > 0 && this.load.spareBytes < Math.max(over, this.#lumpBytes);',
        replacement: 'return over > 0;',
      },
    ],
  },
  {
    name: 'accepted-and-dropped',
    scenario: 'refused-by-both',
    meaning: 'forgets what it accepted on disk and both clusters refused',
    seed: 209,
    edits: [{ file: SETTLEMENT, text: 'if (record.undeliverable) {', replacement: 'if (false) {' }],
  },
  {
    name: 'forgone-before-buried',
    scenario: 'refused-and-killed',
    meaning: 'notes in the journal that nobody will write an entry, before it lies among the dead letters',
    seed: 110_000_158,
    edits: [
      {
        file: PIPELINE,
        text: "if (copy.state !== 'refused' || record.journal !== 'durable' || record.undeliverable)",
        replacement: "if (copy.state !== 'refused' || record.journal !== 'durable')",
      },
    ],
  },
  {
    name: 'done-for-both',
    scenario: 'accepted-on-disk',
    meaning: 'lets go of an entry of the journal when one cluster is done with it',
    seed: 33,
    edits: [
      {
        file: APPENDER,
        text: 'this.#count(shelf, () => shelf.handleFinal(record, lane));',
        replacement: 'this.#count(shelf, () => { shelf.handleFinal(record, 0); shelf.handleFinal(record, 1); });',
      },
    ],
  },
  {
    name: 'only-copy-aged',
    scenario: 'only-copy-kept',
    meaning: 'voids what waited for long, whoever else has it',
    seed: 110_000_009,
    edits: [
      {
        file: TRACK,
        text: 'copy.elsewhereSince !== undefined && now - copy.elsewhereSince > this.#copyAgeMaxMs',
        replacement: 'now - record.sealedAt > this.#copyAgeMaxMs',
      },
    ],
  },
  {
    name: 'void-before-disk',
    scenario: 'void-forgone',
    meaning: 'voids what is in the journal before it is on disk that it will not be written there',
    seed: 110,
    edits: [
      {
        file: TRACK,
        text: "if (write.journal === 'none' && !write.perhapsJournaled)",
        replacement: 'if (true)',
      },
      {
        file: PIPELINE,
        text: 'this.#journalLink.forgo(lane, record);',
        replacement: '',
      },
    ],
  },
  {
    name: 'import-without-void',
    scenario: 'import',
    meaning: 'takes it for the word of a log that it says nothing of a dead letter',
    seed: 55,
    edits: [
      {
        file: LETTER_IMPORT,
        text: 'Promise.all(group.map(({ letter }) => this.#options.void(lane, letter)))',
        replacement: 'Promise.resolve([false])',
      },
      {
        file: LOOKUP,
        text: "return word === 'data' || whole ? word : undefined;",
        replacement: "return word ?? 'void';",
      },
    ],
  },
  {
    name: 'import-forgets-position',
    scenario: 'import-once',
    meaning: 'sends a dead letter again before it says on disk where to look for it from now on',
    seed: 6,
    edits: [
      {
        file: IMPORT_LINK,
        text: 'send.rebury = (stamped) => rebury(this.#reburied(letter, stamped));',
        replacement: 'send.rebury = () => rebury(letter);',
      },
    ],
  },
  {
    name: 'backlog-without-bound',
    scenario: 'leaderless',
    meaning: 'gives nothing up however much waits for a cluster',
    seed: 13,
    edits: [{ file: LANE, text: 'const over = this.load.bytes - this.#bytesMax;', replacement: 'const over = 0;' }],
  },
  {
    name: 'waits-for-the-slow',
    scenario: 'slow-available',
    meaning: 'with available, a send waits for a lane that has gone away or is too slow',
    seed: 12,
    edits: [
      { file: SETTLEMENT, text: 'record.waitsFor &= ~bit(lane);', replacement: ';' },
      { file: SETTLEMENT, text: 'record.waitsFor = 0;', replacement: ';' },
    ],
  },
  {
    name: 'key-not-kept',
    scenario: 'database-outage',
    meaning: 'handles messages of one key at the same time',
    seed: 1,
    edits: [
      {
        file: KEY_ORDER,
        text: 'const known = key === undefined ? undefined : this.#lines.get(key);',
        replacement: 'const known = undefined;',
      },
    ],
  },
  {
    name: 'failed-goes-last',
    scenario: 'database-outage',
    meaning: 'puts what failed at the end of its line',
    seed: 1,
    edits: [
      {
        file: KEY_ORDER,
        text: 'this.#pause(head, head.attempts, now);',
        replacement: 'head.line.turns.shift(); head.line.turns.push(head); this.#advance(head.line);',
      },
    ],
  },
  {
    name: 'transient-buried',
    scenario: 'database-outage',
    meaning: 'makes a dead letter of what fails for a while',
    seed: 1,
    edits: [
      {
        file: KEY_ORDER,
        text: "const hopeless = verdict === 'permanent'",
        replacement: 'const hopeless = verdict !== undefined',
      },
    ],
  },
  {
    name: 'burial-believed',
    scenario: 'poisoned-key',
    meaning: 'finishes a message whose dead letter could not be kept',
    seed: 1,
    edits: [
      {
        file: IN_KEY_ORDER,
        text: 'this.#order.handleBurialFailed(turn, host.clock.now());',
        replacement: 'this.#order.handleBuried(turn);',
      },
    ],
  },
]
