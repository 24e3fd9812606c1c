/** The part of a structured logger (pino's) that ingest uses. Give a child logger that names the camera. */
export interface IngestLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
