# What R surveillance answers for synthetic line lists: `Rscript make.R` in this folder writes reference.json.
suppressMessages(library(surveillance))
set.seed(20140304)
make <- function(lambda, p, T) {
  rows <- list()
  for (t in 0:T) {
    n <- rpois(1, lambda(t))
    d <- sample(seq_along(p) - 1, n, replace = TRUE, prob = p)
    if (n > 0) rows[[length(rows) + 1]] <- data.frame(t = t, d = d)
  }
  do.call(rbind, rows)
}
start <- as.Date("2023-01-02")
spec <- list(
  list(name = "flat_days", lambda = function(t) 12, p = dgeom(0:15, 0.25), T = 60, D = 15, by = "1 day", m = NULL),
  list(name = "growing_days", lambda = function(t) 3 * exp(t / 18), p = dnbinom(0:10, 2, 0.4), T = 50, D = 10, by = "1 day", m = 30),
  list(name = "few_weeks", lambda = function(t) 1.5, p = c(.3, .3, .2, .1, .05, .05), T = 40, D = 6, by = "1 week", m = 26),
  list(name = "season_weeks", lambda = function(t) 40 * (1 + sin(t / 8)), p = dgeom(0:8, 0.4), T = 60, D = 8, by = "1 week", m = 26)
)
out <- list()
for (s in spec) {
  step <- if (s$by == "1 day") 1 else 7
  x <- make(s$lambda, s$p, s$T)
  data <- data.frame(dHospital = start + step * x$t, dReport = start + step * (x$t + x$d))
  now <- start + step * s$T
  when <- seq(now - step * (s$D - 1), now, by = step)
  res <- list(name = s$name, longest = s$D, window = if (is.null(s$m)) s$T else s$m)
  call <- function(method, m.int, N.prior = NULL, nS = 4000) {
    ctrl <- list(dRange = seq(start, now, by = s$by), N.tInf.max = 2000, nSamples = nS, predPMF = TRUE, gd.prior.kappa = 0.1)
    if (!is.null(N.prior)) ctrl$N.tInf.prior <- N.prior
    suppressWarnings(invisible(capture.output(
      r <- nowcast(now = now, when = when, data = data, dEventCol = "dHospital", dReportCol = "dReport",
        method = method, aggregate.by = s$by, D = s$D, m = s$m, m.interpretation = m.int, control = ctrl))))
    r
  }
  law <- call("lawless", "hoehle_anderheiden2014")
  tri <- law@reportingTriangle
  res$triangle <- unname(lapply(seq_len(nrow(tri)), function(i) ifelse(is.na(tri[i, ]), 0, tri[i, ])))
  res$delay_cdf_lawless <- unname(law@delayCDF[["lawless"]])[1:(s$D)]
  nt <- attr(tri, "N.tT")
  T1 <- length(nt)
  res$point_lawless <- (nt / rev(law@delayCDF[["lawless"]]))[(T1 - s$D + 1):T1]
  unprimed <- structure("poisgamma", mean.lambda = 1, var.lambda = 3)
  cdf <- unname(call("bayes.trunc", "hoehle_anderheiden2014", unprimed, nS = 2)@delayCDF[["bayes.trunc"]])[1:(s$D)]
  res$delay_cdf_bayes_trunc <- cdf
  # The prior of our model: the mean of the last periods, a gamma shape of 0.5.
  res$prior_mean <- sum(tail(nt, s$D)) / sum(cdf)
  prior <- structure("poisgamma", mean.lambda = res$prior_mean, var.lambda = res$prior_mean + res$prior_mean^2 / 0.5)
  tr <- call("bayes.trunc", "hoehle_anderheiden2014", prior)
  res$prior_shape <- 0.5
  idx <- (T1 - s$D + 1):T1
  res$lower_bayes_trunc <- unname(tr@pi[idx, 1, 1]); res$upper_bayes_trunc <- unname(tr@pi[idx, 1, 2])
  out[[length(out) + 1]] <- res
}
# JSON by hand: no package needed.
num <- function(v) paste0("[", paste(format(v, digits = 17, trim = TRUE, scientific = FALSE), collapse = ", "), "]")
txt <- sapply(out, function(r) {
  f <- c(sprintf('"name": "%s"', r$name), sprintf('"longest": %d', r$longest), sprintf('"window": %d', r$window),
    sprintf('"prior_mean": %s', format(r$prior_mean, digits = 17)), sprintf('"prior_shape": %s', r$prior_shape),
    sprintf('"triangle": [%s]', paste(sapply(r$triangle, num), collapse = ",\n    ")),
    sapply(c("delay_cdf_lawless", "point_lawless", "delay_cdf_bayes_trunc", "lower_bayes_trunc", "upper_bayes_trunc"),
      function(k) sprintf('"%s": %s', k, num(r[[k]]))))
  paste0("  {\n    ", paste(f, collapse = ",\n    "), "\n  }")
})
cat("[\n", paste(txt, collapse = ",\n"), "\n]\n", sep = "", file = "reference.json")
