// Which thread takes an item is chance; what an item makes must not depend on it.
#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct crew {
    pthread_t threads[MOST_THREADS];
    int others;  // threads besides the caller
    pthread_mutex_t mutex;
    pthread_cond_t begin, end;
    atomic_ulong round;  // goes up with each task
    atomic_int busy;
    int stop;
    work work;
    void *task;
    int items;
    atomic_int next, names;
};

// A thread that waits looks so often whether there is something, some 50 microseconds, before it sleeps: most tasks
// follow one another sooner than it would be woken.
enum { LOOKS = 2000 };

static inline void relax(void) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void take_items(crew *crew, int thread) {
    int item;
    while ((item = atomic_fetch_add(&crew->next, 1)) < crew->items)
        crew->work(crew->task, item, thread);
}

static void *serve(void *argument) {
    crew *crew = argument;
    int thread = 1 + atomic_fetch_add(&crew->names, 1);
    unsigned long seen = 0;
    for (;;) {
        for (int look = 0; look < LOOKS && crew->round == seen; look++)
            relax();
        pthread_mutex_lock(&crew->mutex);
        while (crew->round == seen && !crew->stop)
            pthread_cond_wait(&crew->begin, &crew->mutex);
        int stop = crew->stop;
        seen = crew->round;
        pthread_mutex_unlock(&crew->mutex);
        if (stop)
            return NULL;
        take_items(crew, thread);
        if (atomic_fetch_sub(&crew->busy, 1) == 1) {
            pthread_mutex_lock(&crew->mutex);
            pthread_cond_signal(&crew->end);
            pthread_mutex_unlock(&crew->mutex);
        }
    }
}

crew *crew_start(int threads) {
    crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return NULL;
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->begin, NULL);
    pthread_cond_init(&crew->end, NULL);
    while (crew->others + 1 < threads && crew->others + 1 < MOST_THREADS) {
        if (pthread_create(&crew->threads[crew->others], NULL, serve, crew)) {
            crew_stop(crew);
            return NULL;
        }
        crew->others++;
    }
    return crew;
}

void crew_run(crew *crew, int items, work work, void *task) {
    pthread_mutex_lock(&crew->mutex);
    crew->work = work;
    crew->task = task;
    crew->items = items;
    crew->busy = crew->others;
    atomic_store(&crew->next, 0);
    crew->round++;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->mutex);
    take_items(crew, 0);
    for (int look = 0; look < LOOKS && crew->busy; look++)
        relax();
    pthread_mutex_lock(&crew->mutex);
    while (crew->busy)
        pthread_cond_wait(&crew->end, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}

void crew_stop(crew *crew) {
    pthread_mutex_lock(&crew->mutex);
    crew->stop = 1;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->mutex);
    for (int i = 0; i < crew->others; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->begin);
    pthread_cond_destroy(&crew->end);
    pthread_mutex_destroy(&crew->mutex);
    free(crew);
}

int crew_threads(const crew *crew) { return crew->others + 1; }
