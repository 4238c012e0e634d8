// A crew of threads that take the items of a task one by one.
#pragma once

#define MOST_THREADS 64

typedef struct crew crew;
typedef void (*work)(void *task, int item, int thread);

crew *crew_start(int threads);  // the caller is one of them; NULL if they cannot be had
void crew_run(crew *, int items, work, void *task);  // returns when all items are done; one caller at a time
void crew_stop(crew *);
int crew_threads(const crew *);
