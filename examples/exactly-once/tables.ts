/** What the store has; see `createTables`. All numbers are below 2^53: what is a bigint here fits a number there. */
export const POSITION_TABLES = `
create table if not exists tandem_positions (
  group_id  text    not null,
  topic     text    not null,
  partition integer not null,
  owner     text    not null default '',
  token     bigint  not null default 0, -- 0: nobody ever held it
  number    bigint  not null default 0,
  beat      bigint  not null default 0,
  want      text    not null default '',
  kept_for  text    not null default '',
  born_ms   bigint  not null default 0,
  primary key (group_id, topic, partition),
  -- The token is part of a key: so FOR KEY SHARE holds up whoever changes it, and nobody who renews or flushes.
  unique (group_id, topic, partition, token)
);
create table if not exists tandem_fields (
  group_id  text    not null,
  topic     text    not null,
  partition integer not null,
  name      text    not null,
  bytes     bytea   not null,
  primary key (group_id, topic, partition, name)
);
create table if not exists tandem_booked (
  group_id    text    not null,
  topic       text    not null,
  partition   integer not null,
  key_range   bigint  not null,
  producer_id text    not null,
  epoch       bigint  not null,
  incarnation bigint  not null,
  counter     bigint  not null,
  primary key (group_id, topic, partition, key_range, producer_id, epoch, incarnation, counter)
);
create table if not exists tandem_members (
  group_id text   not null,
  instance text   not null,
  beat     bigint not null,
  reads    text[] not null,
  topics   text[],
  holds    text[],
  token    bigint,
  host     text   not null,
  primary key (group_id, instance)
);`
