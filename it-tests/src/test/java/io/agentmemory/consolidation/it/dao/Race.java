package io.agentmemory.consolidation.it.dao;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Lets workers do something at the same time. */
final class Race {
  private Race() {}

  /** What a worker does; workers are numbered from 0. */
  interface Work {
    Object run(int worker) throws Exception;
  }

  /** What each worker returned, or the exception that it threw. */
  static List<Object> of(int workers, Work work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    try {
      CyclicBarrier start = new CyclicBarrier(workers);
      List<Future<Object>> running = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        int worker = i;
        running.add(
            threads.submit(
                () -> {
                  start.await();
                  try {
                    return work.run(worker);
                  } catch (RuntimeException failure) {
                    return failure;
                  }
                }));
      }
      List<Object> results = new ArrayList<>();
      for (Future<Object> future : running) {
        results.add(future.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }
}
