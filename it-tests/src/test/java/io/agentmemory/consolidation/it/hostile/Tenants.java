package io.agentmemory.consolidation.it.hostile;

import static io.agentmemory.consolidation.it.hostile.Values.MARKER;
import static io.agentmemory.consolidation.it.hostile.Values.MINE;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.RecordedSql;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** A database with the rows of a project that is called upon, and of one that must not notice. */
final class Tenants implements AutoCloseable {
  /** In every id and text of the other project, and in nothing that a caller says. */
  static final String HIDDEN = "hidden4w";

  static final SchemaOptions OPTIONS =
      SchemaOptions.builder()
          .dimensions(3)
          .rowLevelSecurity(Boolean.getBoolean("consolidation.hostile.rowLevelSecurity"))
          .build();

  private static final List<String> TABLES =
      List.of("consolidated_memories", "consolidation_jobs", "task_memories");

  private final RecordedSql sql = new RecordedSql();
  private final ScratchDatabase scratch = PostgresServer.shared().freshDatabase("hostile");
  private final HikariDataSource pool;
  private final HikariDataSource quietPool;
  private final Consolidation quiet;
  private final Consolidation consolidation;
  private final Watch watch;
  private final Connection joined;
  private final String role;
  private final String theirs;

  Tenants() throws SQLException {
    watch = new Watch(scratch);
    Schema.on(scratch.dataSource(), OPTIONS).upgrade();
    role = scratch.name() + "_worker";
    watch.execute("create role " + role + " login password 'secret'");
    watch.execute(Schema.workerGrantsScript(OPTIONS, role));
    PGSimpleDataSource asRole = new PGSimpleDataSource();
    asRole.setUrl(scratch.jdbcUrl());
    asRole.setUser(role);
    asRole.setPassword("secret");
    HikariConfig config = new HikariConfig();
    config.setDataSource(sql.of(asRole));
    config.setMaximumPoolSize(4);
    pool = new HikariDataSource(config);
    joined = sql.of(asRole).getConnection();
    HikariConfig quietConfig = new HikariConfig();
    quietConfig.setDataSource(scratch.dataSource());
    quietConfig.setMaximumPoolSize(1);
    quietPool = new HikariDataSource(quietConfig);
    quiet = Consolidation.on(quietPool, OPTIONS);
    consolidation = Consolidation.on(pool, OPTIONS);
    fill("theirs", HIDDEN);
    quiet.jobs().claim("theirs", 100).forEach(job -> quiet.jobs().complete(job.lease(), "{}"));
    // Neither claimed, rescued nor pruned by calls that are about all projects.
    watch.execute("update consolidation_jobs set completed_at = '9999-01-01'");
    theirs = state().theirs();
  }

  Consolidation consolidation() {
    return consolidation;
  }

  HikariDataSource pool() {
    return pool;
  }

  RecordedSql sql() {
    return sql;
  }

  /** A connection whose transaction is the caller's. */
  Connection joined() {
    return joined;
  }

  /** Puts every project but the other one back to what it was; what is running then. */
  List<JobLease> reset() throws SQLException {
    for (String table : TABLES) {
      watch.execute("delete from " + table + " where project_id <> 'theirs'");
    }
    fill(MINE, MARKER);
    return quiet.jobs().claim(MINE, 5).stream().map(job -> job.lease()).toList();
  }

  private void fill(String project, String prefix) throws SQLException {
    for (int i = 0; i < 12; i++) {
      quiet
          .memories()
          .insert(
              NewMemory.builder(
                      project,
                      MemoryType.LEARNING,
                      AbstractionLevel.CONCRETE,
                      prefix + " apples and pears " + i)
                  .id(prefix + "m" + i)
                  .embedding(Embedding.of(1, i / 20f, i % 3 / 10f))
                  .tags(prefix)
                  .sourceMemoryIds(i == 11 ? List.of(prefix + "m9", prefix + "m10") : List.of())
                  .build());
      quiet
          .jobs()
          .enqueue(NewJob.builder(project, TriggerType.MANUAL).id(prefix + "j" + i).build());
    }
    watch.execute(
        """
        insert into task_memories (id, project_id, task_id, execution_summary, success)
        select 'P' || 't' || i, 'PROJECT', 't', 'P', true from generate_series(0, 11) i"""
            .replace("PROJECT", project)
            .replace("P", prefix));
  }

  /** The contents of the other project's rows, and the row versions of all projects. */
  Watch.State state() throws SQLException {
    StringBuilder query = new StringBuilder("select '' ");
    for (String table : TABLES) {
      query.append(
          """
          || (select md5(string_agg(t::text, '' order by id)) from TABLE t
            where project_id = 'theirs')
          """
              .replace("TABLE", table));
    }
    query.append(", '' ");
    for (String table : TABLES) {
      query.append(
          """
          || (select concat(' ', count(*), ' ', sum(hashtext(t.ctid::text || t.xmin::text)))
            from TABLE t)
          """
              .replace("TABLE", table));
    }
    return watch.state(query.toString());
  }

  boolean theirsIsUntouched(Watch.State now) {
    return now.theirs().equals(theirs);
  }

  int leftInTransaction() throws SQLException {
    return watch.leftInTransaction();
  }

  @Override
  public void close() throws SQLException {
    joined.close();
    pool.close();
    quietPool.close();
    watch.execute("drop owned by " + role);
    watch.execute("drop role " + role);
    watch.close();
    scratch.close();
  }
}
