export { newScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts';
