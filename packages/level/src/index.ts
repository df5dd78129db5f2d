export * from './level-database.js'
